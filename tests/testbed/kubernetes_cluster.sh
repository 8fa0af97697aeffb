# A cluster of one node with real pods. The supervisor (instance.sh) is in a network namespace of its own, without a way out;
# below it, in PID and mount namespaces of their own, is all the rest: when its first process ends, the kernel ends them all,
# containers and shims too, and their mounts are gone. So only cgroups have to be taken away one by one.
# shellcheck shell=bash disable=SC2034,SC2154 # variables of the other parts

readonly node_name=node1
readonly node_address=10.99.0.1
readonly pod_network=10.244.0.0

cluster_dns=$service_network.10

# ctr ARGUMENT...: containerd's client for this instance. Works outside of its namespaces, too.
ctr() {
  "$debian_servers/usr/bin/ctr" -a "$dir/containerd.sock" -n k8s.io "$@"
}

# ---- cgroups: in each hierarchy of v1, or in that of v2, the pods have one that is this instance's

cgroup_of() {
  printf 'trammel-testbed-%s\n' "$(printf '%s' "$dir" | sha256sum | cut -c 1-12)"
}

cgroup_hierarchies() {
  awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/self/mounts
}

cgroups_create() {
  local hierarchy controller
  cgroup_of >"$dir/cgroup"
  while read -r hierarchy; do
    for controller in cpu cpuset hugetlb memory pids; do
      if grep -qw "$controller" "$hierarchy/cgroup.controllers" 2>/dev/null; then
        printf '+%s' "$controller" >"$hierarchy/cgroup.subtree_control" || return
      fi
    done
    mkdir -p "$hierarchy/$(cgroup_of)" || return
  done < <(cgroup_hierarchies)
}

cgroups_are_removed() {
  local hierarchy left=0
  while read -r hierarchy; do
    hierarchy=$hierarchy/$(cgroup_of)
    [[ ! -d $hierarchy ]] || find "$hierarchy" -depth -type d -exec rmdir {} + || left=1
  done < <(cgroup_hierarchies)
  ((left == 0))
}

# ---- files

cluster_files() {
  mkdir -p "$dir/cni"
  pki_certificate "$dir/pki" kubelet "/O=system:nodes/CN=system:node:$node_name" "DNS:$node_name,IP:$node_address" || return
  cluster_cni >"$dir/cni/10-testbed.conflist"
  cluster_containerd >"$dir/containerd.toml"
  cluster_kubelet >"$dir/kubelet.yaml"
  cluster_proxy >"$dir/proxy.yaml"
}

cluster_cni() {
  cat <<JSON
{"cniVersion": "0.4.0", "name": "testbed", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$dir/ipam", "ranges": [[{"subnet": "$pod_network/24"}]],
            "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
JSON
}

cluster_containerd() {
  cat <<TOML
version = 2
root = "$dir/containerd/root"
state = "$dir/containerd/state"
[grpc]
  address = "$dir/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$pause_name"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$debian_servers/usr/lib/cni"
    conf_dir = "$dir/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
TOML
}

# Statuses come fast, as tests wait for them. Limits on disk space would depend on the machine's.
cluster_kubelet() {
  cat <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $node_address
tlsCertFile: $dir/pki/kubelet.crt
tlsPrivateKeyFile: $dir/pki/kubelet.key
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $dir/pki/ca.crt}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
cgroupRoot: /$(cgroup_of)
failSwapOn: false
resolvConf: ""
clusterDomain: cluster.local
clusterDNS: [$cluster_dns]
evictionHard: {memory.available: "50Mi"}
imageGCHighThresholdPercent: 100
healthzPort: 0
nodeStatusUpdateFrequency: 1s
nodeStatusReportFrequency: 1s
YAML
}

# The limits of connection tracking are the machine's, and stay as they are.
cluster_proxy() {
  cat <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
bindAddress: $node_address
healthzBindAddress: ""
metricsBindAddress: 127.0.0.1:10249
clientConnection: {kubeconfig: $dir/proxy.conf}
clusterCIDR: $pod_network/16
mode: iptables
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
hostnameOverride: $node_name
YAML
}

# ---- namespaces

# Kubelet, containerd and CNI keep state in these folders; here they get ones that go with the mount namespace.
cluster_mounts() {
  local sysctl file
  mount --make-rprivate /
  for file in /run /var/lib /var/log; do
    mount -t tmpfs testbed "$file" || return
  done
  mkdir -p /var/lib/kubelet
  printf '127.0.0.1 localhost\n%s %s %s\n' "$node_address" "$node_name" "$(hostname)" >"$dir/hosts"
  mount --bind "$dir/hosts" /etc/hosts || return
  if [[ -e /etc/resolv.conf ]]; then
    : >"$dir/resolv.conf"
    mount --bind "$dir/resolv.conf" /etc/resolv.conf || return
  fi
  # Kubelet sets these for the whole machine, and may not: it sets files.
  for sysctl in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
    file=$dir/sysctl.${sysctl//\//_}
    if cat "/proc/sys/$sysctl" >"$file" 2>/dev/null; then
      mount --bind "$file" "/proc/sys/$sysctl" || return
    fi
  done
  mount --make-rshared /
}

cluster_network() {
  ip link set lo up &&
    ip link add node0 type veth peer name node0p &&
    ip addr add "$node_address/24" dev node0 &&
    ip link set node0 up &&
    ip link set node0p up &&
    ip route add "$service_network.0/16" dev node0 &&
    echo 1 >/proc/sys/net/ipv4/ip_forward
}

# ---- servers

controllers_start() {
  local config="--kubeconfig --authentication-kubeconfig --authorization-kubeconfig" option flags=()
  for option in $config; do flags+=("$option=$dir/manager.conf"); done
  server_start controller-manager "$kubernetes_bin/kube-controller-manager" "${flags[@]}" --leader-elect=false \
    --bind-address=127.0.0.1 --port=0 --use-service-account-credentials --service-account-private-key-file="$dir/pki/accounts.key" \
    --root-ca-file="$dir/pki/ca.crt" --cluster-signing-cert-file="$dir/pki/ca.crt" --cluster-signing-key-file="$dir/pki/ca.key" \
    --cert-dir="$dir/manager"
  flags=()
  for option in $config; do flags+=("$option=$dir/scheduler.conf"); done
  server_start scheduler "$kubernetes_bin/kube-scheduler" "${flags[@]}" --leader-elect=false --bind-address=127.0.0.1 --port=0
}

node_start() {
  server_start containerd "$debian_servers/usr/bin/containerd" -c "$dir/containerd.toml"
  wait_for 60 containerd ctr version && ctr images import "$(pause_image)" || return
  server_start kubelet "$kubernetes_bin/kubelet" --config="$dir/kubelet.yaml" --kubeconfig="$dir/node.conf" \
    --root-dir="$dir/kubelet" --cert-dir="$dir/pki" --container-runtime=remote \
    --container-runtime-endpoint="unix://$dir/containerd.sock" --hostname-override=$node_name --node-ip=$node_address
  server_start kube-proxy "$kubernetes_bin/kube-proxy" --config="$dir/proxy.yaml"
}

# Pods can be made: the node takes them, and the controllers have given the namespace its account.
node_is_ready() {
  servers_live || exit
  kubectl_as admin get node $node_name | grep -q ' Ready' && kubectl_as admin get serviceaccount default
}

# cluster_inside DIR: the first process of the PID namespace.
cluster_inside() {
  dir=$1 address=$node_address etcd_address=127.0.0.1
  PATH=$debian_servers/usr/bin:$debian_servers/usr/sbin:$PATH
  cluster_mounts && cluster_network && control_plane_start && cluster_files && controllers_start && node_start &&
    wait_for 120 "the node" node_is_ready || exit
  : >"$dir/ready"
  while servers_live; do sleep 1; done
  exit 1
}

# cluster_supervise DIR PARENT STARTED LIMIT: in a network namespace of its own.
cluster_supervise() {
  dir=$1
  trap cluster_finish EXIT
  trap 'exit 1' INT TERM HUP
  cgroups_create || exit
  server_start cluster unshare --pid --mount --fork --kill-child --mount-proc "$here/kubernetes.sh" cluster-inside "$dir"
  supervise "$2" "$3" "$4"
}

cluster_finish() {
  local pid=${servers[cluster]:-}
  trap - EXIT
  trap '' INT TERM HUP
  if [[ -n $pid ]]; then
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  fi
  wait_for 30 "the end of all pods" cgroups_are_removed || true
  instance_remove
}
