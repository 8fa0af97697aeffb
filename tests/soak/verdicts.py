"""Compares the verdicts of runs with those of a reference run: verdicts.py [--summary] REFERENCE REPORT...

Prints each wrong verdict, or with --summary a line about all runs. Exits 1 when there is any."""
import json
import statistics
import sys


def verdicts(path):
    """The verdicts of a report by case and column, and how long it took; None when there is no whole report."""
    try:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
    except (OSError, ValueError):
        return None, 0
    if report["interrupted"]:
        return None, 0
    cases = {}
    for case in report["cases"]:
        cases[case["id"], case["column"]["label"]] = (case["outcome"], case.get("held"), case.get("reason", ""))
    return cases, report["durationNs"] / 1e9


def wrong(reference, cases):
    """(case, what is wrong) of each wrong verdict."""
    if cases is None:
        return [("the whole run", "no complete report")]
    found = [(" ".join(key), "it is missing") for key in reference.keys() - cases.keys()]
    for key, (outcome, held, reason) in sorted(cases.items()):
        expected = reference.get(key)
        if outcome == "passed" or (outcome == "informative" and expected and expected[:2] == (outcome, held)):
            continue
        found.append((" ".join(key), f"{outcome}, held: {held}: {reason}" if outcome == "informative" else f"{outcome}: {reason}"))
    return found


def main():
    arguments = sys.argv[1:]
    summary = arguments[:1] == ["--summary"]
    if summary:
        arguments = arguments[1:]
    reference, unloaded = verdicts(arguments[0])
    if not reference:
        sys.exit("the reference run has no complete report")
    if wrong(reference, reference):
        sys.exit(f"the reference run has wrong verdicts itself: {wrong(reference, reference)}")
    count, seconds = 0, []
    for path in arguments[1:]:
        cases, took = verdicts(path)
        found = wrong(reference, cases)
        count += len(found)
        seconds.append(took)
        if not summary:
            print(f"{path.rsplit('/', 1)[-1]}: {took:.1f} s, {len(found)} wrong", flush=True)
            for case, what in found:
                print(f"  {case}: {what}", flush=True)
    if summary:
        print(f"{len(seconds)} runs of {len(reference)} verdicts under load, {count} wrong; "
              f"seconds: median {statistics.median(seconds):.1f}, slowest {max(seconds):.1f}, without load {unloaded:.1f}")
    sys.exit(1 if count else 0)


main()
