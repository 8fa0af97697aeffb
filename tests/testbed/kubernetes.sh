#!/usr/bin/env bash
# A real Kubernetes for tests: see docs/testbed.md, or `kubernetes.sh help`.
# shellcheck disable=SC2154 # variables of the parts
set -euo pipefail

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
readonly here
for part in common debian instance pki image kubernetes_build kubernetes_api kubernetes_cluster; do
  # shellcheck source=/dev/null
  source "$here/$part.sh"
done

usage() {
  cat <<'TEXT'
Usage: kubernetes.sh COMMAND

  build                      puts the servers into the cache: Kubernetes from Debian's source package, the rest from its packages
  api start [OPTION...]      etcd and kube-apiserver on a loopback address of their own; prints the path of a kubeconfig
  api restart DIR            another API server on the same data, at the same address
  api stop DIR               ends them, and removes the folder
  cluster start [OPTION...]  a whole cluster of one node with real pods, in a network namespace of its own; needs root
  cluster exec DIR COMMAND   runs a command in that network namespace: only from there the cluster can be reached
  cluster import DIR TAR...  gives the node images
  cluster stop DIR           ends it, and removes the folder
  image TAR NAME PROGRAM...  writes an image of programs and their libraries; the first is what it runs
  kubectl                    prints the path of the kubectl of this version

Options of start:
  --dir DIR        the folder of the instance, which must be empty or new (default: a new one in $TMPDIR or /tmp)
  --parent PID     it ends with this process
  --limit SECONDS  it ends after this time at the latest (default: 7200)

In DIR: admin.conf and certificate.conf, kubeconfigs that may do everything, by a token and by a client certificate;
nobody.conf, one without rights; log/. The cache is $TRAMMEL_TESTBED_CACHE, or trammel-testbed in $XDG_CACHE_HOME or ~/.cache.
Ends with 77 when what it needs is not there.
TEXT
}

build() {
  kubernetes_build && debian_servers_fetch && pause_build
}

require_built() {
  if ! kubernetes_is_built || ! debian_servers_are_fetched || [[ ! -f $(pause_image) ]]; then
    missing "Kubernetes is not built; ./bootstrap test-cluster builds it, once"
  fi
}

api_start() {
  require_commands openssl=openssl util-linux=setpriv
  require_built
  start_options "$@"
  instance_start "$dir" "$parent" "$limit" 150 "$here/kubernetes.sh" api-supervise
  printf '%s\n' "$dir/admin.conf"
}

cluster_start() {
  ((EUID == 0)) || missing "a cluster with pods needs root"
  require_commands openssl=openssl util-linux=unshare iproute2=ip iptables=iptables conntrack=conntrack
  require_built
  start_options "$@"
  if [[ $dir/ =~ ^/(run|var/lib|var/log)/ || $testbed_cache/ =~ ^/(run|var/lib|var/log)/ ]]; then
    die "$dir and $testbed_cache must not be in /run, /var/lib or /var/log, which the cluster has on its own"
  fi
  instance_start "$dir" "$parent" "$limit" 240 unshare --net "$here/kubernetes.sh" cluster-supervise
  printf '%s\n' "$dir/admin.conf"
}

# cluster_exec DIR COMMAND...
cluster_exec() {
  local pid
  instance_lives "$1" || die "no instance runs in $1"
  pid=$(cat "$1/supervisor.pid")
  shift
  exec nsenter --net="/proc/$pid/ns/net" "$@"
}

cluster_import() {
  local tar
  dir=$1
  shift
  for tar in "$@"; do
    ctr images import "$tar"
  done
}

cluster() {
  local verb=${1:-} folder
  shift || true
  [[ $verb == start ]] || { folder=$(realpath "${1:?which folder?}") && shift; }
  case $verb in
  start) cluster_start "$@" ;;
  exec) cluster_exec "$folder" "$@" ;;
  import) cluster_import "$folder" "$@" ;;
  stop) instance_stop "$folder" ;;
  *) die "unknown command 'cluster $verb'; see $0 help" ;;
  esac
}

api_restart() {
  instance_lives "$1" || die "no instance runs in $1"
  rm -f "$1/ready"
  instance_tell "$1" restart
  wait_for 150 "kube-apiserver" test -e "$1/ready"
}

api() {
  local verb=${1:-}
  shift || true
  case $verb in
  start) api_start "$@" ;;
  restart) api_restart "$(realpath "${1:?which folder?}")" ;;
  stop) instance_stop "$(realpath "${1:?which folder?}")" ;;
  *) die "unknown command 'api $verb'; see $0 help" ;;
  esac
}

verb=${1:-help}
shift || true
case $verb in
build) with_lock kubernetes build ;;
api) api "$@" ;;
cluster) cluster "$@" ;;
image) image_write "$@" ;;
kubectl) printf '%s\n' "$kubernetes_bin/kubectl" ;;
api-supervise) api_supervise "$@" ;;
cluster-supervise) cluster_supervise "$@" ;;
cluster-inside) cluster_inside "$@" ;;
help | -h | --help) usage ;;
*) die "unknown command '$verb'; see $0 help" ;;
esac
