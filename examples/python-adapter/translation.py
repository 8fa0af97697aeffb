"""SMI to objects of Istio: the same request gives the same answer, and what cannot be said is said to be so.

A TrafficSplit becomes a VirtualService, a TrafficTarget an AuthorizationPolicy for each workload of its destination.
"""

import hashlib
import json
import re

WEIGHT_MAX = 2**31 - 1  # of a VirtualService
NAME_MAX = 253  # of an object in Kubernetes


class Unsupported(Exception):
    """Why something of SMI cannot be said in Istio, or is not by this example."""


class Translation:
    def __init__(self, pb, smi_pb, request, trust_domain):
        self.pb, self.smi_pb, self.request, self.trust_domain = pb, smi_pb, request, trust_domain
        self.objects, self.coverage = [], []
        self.route_groups = {(g.meta.namespace, g.meta.name): g for g in request.smi.route_groups}
        self.port_routes = {(r.kind, r.meta.namespace, r.meta.name): r for r in request.smi.port_routes}

    def add(self, api_version, kind, namespace, name, spec, source=None):
        """An object; its id."""
        if len(name) > NAME_MAX:
            raise Unsupported(f"the name {name[:40]}… would have more than {NAME_MAX} characters")
        body = {
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {"name": name, "namespace": namespace},
            "spec": spec,
        }
        native = self.pb.NativeObject(
            id=f"{kind}/{namespace}/{name}",
            kubernetes=self.pb.KubernetesObject(
                api_version=api_version, kind=kind, namespace=namespace, name=name
            ),
            body=json.dumps(body, sort_keys=True, separators=(",", ":")).encode(),
        )
        if source is not None:
            native.sources.append(source)
        self.objects.append(native)
        return native.id

    def cover(self, source, pointer, objects=(), reason=""):
        level = self.pb.COVERAGE_LEVEL_UNSUPPORTED if reason else self.pb.COVERAGE_LEVEL_EXACT
        self.coverage.append(
            self.pb.Coverage(resource=source, pointer=pointer, level=level, reason=reason, objects=objects)
        )

    # ---- TrafficSplit

    def split(self, split):
        source = reference(self.pb, "TrafficSplit", split.meta)
        try:
            objects = [self.virtual_service(split, source)]
        except Unsupported as why:
            self.cover(source, "/spec", reason=str(why))
            return
        for i in range(len(split.backends)):
            self.cover(source, f"/spec/backends/{i}", objects)

    def virtual_service(self, split, source):
        if split.matches:
            raise Unsupported("this example does not translate a split with matches")
        if not any(backend.weight for backend in split.backends):
            raise Unsupported("a VirtualService needs a weight that is not 0")
        if any(backend.weight > WEIGHT_MAX for backend in split.backends):
            raise Unsupported(f"a VirtualService takes weights up to {WEIGHT_MAX}")
        namespace = split.meta.namespace
        routes = [
            {"destination": {"host": host_of(backend.service, namespace)}, "weight": backend.weight}
            for backend in split.backends
        ]
        spec = {"hosts": [host_of(split.service, namespace)], "http": [{"route": routes}]}
        return self.add("networking.istio.io/v1", "VirtualService", namespace, split.meta.name, spec, source)

    # ---- TrafficTarget

    def target(self, target):
        source = reference(self.pb, "TrafficTarget", target.meta)
        try:
            principals = [self.principal(s, target.meta.namespace) for s in target.sources]
            workloads = self.destination(target)
        except Unsupported as why:
            self.cover(source, "/spec", reason=str(why))
            return
        operations, understood = self.rules(target, source, workloads)
        objects = []
        if operations and principals:
            objects = [self.policy(target, source, principals, operations, w) for w in workloads]
        for i in understood:
            self.cover(source, f"/spec/rules/{i}", objects)

    def principal(self, subject, namespace):
        if subject.kind != self.smi_pb.SUBJECT_KIND_SERVICE_ACCOUNT:
            raise Unsupported("this example knows subjects of the kind ServiceAccount only")
        return f"{self.trust_domain}/ns/{subject.namespace or namespace}/sa/{subject.name}"

    def destination(self, target):
        """The workloads with its ServiceAccount: Istio selects by labels."""
        self.principal(target.destination, target.meta.namespace)
        namespace = target.destination.namespace or target.meta.namespace
        found = [
            w
            for w in self.request.inventory.workloads
            if w.namespace == namespace and w.service_account == target.destination.name
        ]
        for workload in found:
            if not workload.labels:
                raise Unsupported(f"workload {workload.name} has no labels to select it by")
        return found

    def rules(self, target, source, workloads):
        """The operations that all rules together allow, and which rules were understood."""
        paths, ports, understood = [], [], []
        http = port_rules = 0
        for i, rule in enumerate(target.rules):
            try:
                if rule.kind == self.smi_pb.ROUTE_KIND_HTTP_ROUTE_GROUP:
                    http += 1
                    paths += self.http_operations(rule, target.meta.namespace)
                else:
                    port_rules += 1
                    ports += self.tcp_ports(rule, target.meta.namespace, workloads)
                understood.append(i)
            except Unsupported as why:
                self.cover(source, f"/spec/rules/{i}", reason=str(why))
        if (http and not paths) or (port_rules and not ports):
            return [], understood  # what is left out denies
        if not port_rules:
            return paths, understood
        within = sorted(set(ports), key=int)
        return [dict(path, ports=within) for path in paths] or [{"ports": within}], understood

    def http_operations(self, rule, namespace):
        group = self.route_groups.get((namespace, rule.name))
        if group is None:
            raise Unsupported(f"there is no HTTPRouteGroup {namespace}/{rule.name}")
        known = {match.name: match for match in group.matches}
        missing = [name for name in rule.matches if name not in known]
        if missing:
            raise Unsupported(f"HTTPRouteGroup {rule.name} has no match {missing[0]}")
        return [http_operation(known[name]) for name in (rule.matches or known)]

    def tcp_ports(self, rule, namespace, workloads):
        """The workloads' ports: routes name ports of services, Istio those of Pods."""
        route = self.port_routes.get((rule.kind, namespace, rule.name))
        if rule.kind != self.smi_pb.ROUTE_KIND_TCP_ROUTE:
            raise Unsupported("Istio has no policy for UDP")
        if route is None:
            raise Unsupported(f"there is no TCPRoute {namespace}/{rule.name}")
        if not route.ports:
            raise Unsupported("this example wants a TCPRoute with ports")
        names = {(w.namespace, w.name) for w in workloads}
        return [
            str(port.target_port)
            for service in self.request.inventory.services
            if any((service.namespace, name) in names for name in service.workloads)
            for port in service.ports
            if port.port in route.ports
        ]

    def policy(self, target, source, principals, operations, workload):
        key = f"{target.meta.namespace}/{target.meta.name}/{workload.name}"
        name = f"{target.meta.name}-{hashlib.sha256(key.encode()).hexdigest()[:10]}"
        spec = {
            "action": "ALLOW",
            "selector": {"matchLabels": {label.name: label.value for label in workload.labels}},
            "rules": [
                {
                    "from": [{"source": {"principals": sorted(principals)}}],
                    "to": [{"operation": operation} for operation in operations],
                }
            ],
        }
        return self.add("security.istio.io/v1", "AuthorizationPolicy", workload.namespace, name, spec, source)


def reference(pb, kind, meta):
    return pb.ResourceRef(kind=kind, namespace=meta.namespace, name=meta.name)


def host_of(service, namespace):
    return f"{service}.{namespace}.svc.cluster.local"


def path_pattern(regex):
    """Istio's policies know literals and prefixes, no regular expressions."""
    literal = regex[:-2] if regex.endswith(".*") else regex
    if re.search(r"[\\^$.|?*+()\[\]{}]", literal) or not literal.startswith("/"):
        raise Unsupported(f"the path {regex} is no literal and no prefix")
    return literal + "*" if regex.endswith(".*") else literal


def http_operation(match):
    if match.headers:
        raise Unsupported(f"match {match.name} has headers, which policies of Istio do not match")
    methods = [] if "*" in match.methods else sorted(match.methods)
    operation = {"methods": methods} if methods else {}
    if match.WhichOneof("path") and match.path_regex not in (".*", "/.*"):
        operation["paths"] = [path_pattern(match.path_regex)]
    return operation or {"paths": ["*"]}


def translate(pb, smi_pb, request, trust_domain):
    translation = Translation(pb, smi_pb, request, trust_domain)
    for split in request.smi.splits:
        translation.split(split)
    for target in request.smi.targets:
        translation.target(target)
    for namespace in sorted(set(request.options.deny_by_default)):
        translation.add("security.istio.io/v1", "AuthorizationPolicy", namespace, "allow-nothing", {})
    objects = sorted(translation.objects, key=lambda native: (native.wave, native.id))
    return pb.TranslateResponse(objects=objects, coverage=translation.coverage)
