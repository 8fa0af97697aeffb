#!/bin/sh
# What `trammel watch` costs with one mesh, on an API server of its own that ends with this script (docs/watch.md):
#
#   watch_scale.sh BUILD DEFINITIONS ADAPTER [OPTION...]
#
# BUILD is a build directory, DEFINITIONS a folder that has one for each mesh's CustomResourceDefinitions, as cluster
# tests use them (docs/testbed.md). The options are those of watch_scale.
set -eu

fail() {
  echo "watch_scale.sh: $*" >&2
  exit 2
}

[ $# -ge 3 ] || fail "usage: watch_scale.sh BUILD DEFINITIONS ADAPTER [OPTION...]"
build=$1 definitions=$2 adapter=$3
shift 3
case $adapter in
istio) folders="smi istio-1.30" ;;
linkerd) folders="smi linkerd-2.20" ;;
consul) folders="smi consul-k8s-2.0" ;;
osm) folders="osm-1.2" ;; # with the versions of SMI that it serves
gateway) folders="smi gateway-api-1.6" && set -- --splits "$@" ;; # no access control
*) fail "no definitions are known for $adapter" ;;
esac
[ -x "$build/tests/watch_scale" ] || fail "$build/tests/watch_scale is not built"
kubernetes=$(dirname "$0")/../testbed/kubernetes.sh
kubectl=$("$kubernetes" kubectl)
kubeconfig=$("$kubernetes" api start)
trap '"$kubernetes" api stop "$(dirname "$kubeconfig")"' EXIT
trap 'exit 130' INT TERM
for folder in $folders; do
  [ -d "$definitions/$folder" ] || fail "$definitions/$folder is not there"
  "$kubectl" --kubeconfig "$kubeconfig" apply --validate=false -f "$definitions/$folder" >/dev/null
done
"$kubectl" --kubeconfig "$kubeconfig" wait --for condition=Established --timeout 60s crd --all >/dev/null
"$build/tests/watch_scale" "$@" --kubeconfig "$kubeconfig" "$adapter"
