# etcd and kube-apiserver, in a supervisor (instance.sh): $dir is the instance's folder, $address where the API server
# listens, $etcd_address where etcd does.
# shellcheck shell=bash disable=SC2034,SC2154 # variables of the other parts

readonly api_port=6443
readonly service_network=10.96.0
# Who has which token: NAME USER GROUPS. `admin` may do everything; `nobody` has no rights but those of each user.
readonly api_users=(
  'admin admin system:masters'
  'nobody nobody'
  'manager system:kube-controller-manager'
  'scheduler system:kube-scheduler'
  'proxy system:kube-proxy'
  'node system:node:node1 system:nodes'
)

api_pki() {
  local pki=$dir/pki names
  names="DNS:localhost,DNS:kubernetes,DNS:kubernetes.default.svc,IP:$address,IP:$service_network.1"
  pki_authority "$pki" &&
    pki_certificate "$pki" apiserver /CN=kube-apiserver "$names" &&
    pki_certificate "$pki" admin /O=system:masters/CN=admin &&
    pki_certificate "$pki" apiserver-kubelet /O=system:masters/CN=kube-apiserver-kubelet-client &&
    pki_certificate "$pki" front-proxy /CN=front-proxy-client &&
    (cd "$pki" && pki_key accounts && openssl ec -in accounts.key -pubout -out accounts.pub 2>>openssl.log)
}

# A kubeconfig with a token on standard output.
kubeconfig_of_token() {
  kubeconfig_of "token: $1"
}

# kubeconfig_of CREDENTIALS: the YAML of a user, on one line.
kubeconfig_of() {
  cat <<YAML
apiVersion: v1
kind: Config
clusters: [{name: testbed, cluster: {server: "https://$address:$api_port", certificate-authority: $dir/pki/ca.crt}}]
users: [{name: user, user: {$1}}]
contexts: [{name: testbed, context: {cluster: testbed, user: user}}]
current-context: testbed
YAML
}

# tokens.csv, and NAME.conf for each user, and certificate.conf for admin by a client certificate.
api_users_create() {
  local entry name user groups token
  : >"$dir/pki/tokens.csv"
  for entry in "${api_users[@]}"; do
    read -r name user groups <<<"$entry"
    token=$(openssl rand -hex 16) || return
    printf '%s,%s,%s%s\n' "$token" "$user" "$name" "${groups:+,\"$groups\"}" >>"$dir/pki/tokens.csv"
    kubeconfig_of_token "$token" >"$dir/$name.conf"
  done
  kubeconfig_of "client-certificate: $dir/pki/admin.crt, client-key: $dir/pki/admin.key" >"$dir/certificate.conf"
}

etcd_start() {
  server_start etcd "$debian_servers/usr/bin/etcd" --data-dir "$dir/etcd" --unsafe-no-fsync --logger zap \
    --listen-client-urls "http://$etcd_address:2379" --advertise-client-urls "http://$etcd_address:2379" \
    --listen-peer-urls "http://$etcd_address:2380" --initial-advertise-peer-urls "http://$etcd_address:2380" \
    --initial-cluster "default=http://$etcd_address:2380"
}

apiserver_start() {
  local pki=$dir/pki
  server_start apiserver "$kubernetes_bin/kube-apiserver" --etcd-servers="http://$etcd_address:2379" \
    --bind-address="$address" --secure-port=$api_port --advertise-address="$address" --endpoint-reconciler-type=none \
    --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" --client-ca-file="$pki/ca.crt" \
    --token-auth-file="$pki/tokens.csv" --authorization-mode=Node,RBAC --service-cluster-ip-range=$service_network.0/16 \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$pki/accounts.pub" \
    --service-account-signing-key-file="$pki/accounts.key" --kubelet-certificate-authority="$pki/ca.crt" \
    --kubelet-client-certificate="$pki/apiserver-kubelet.crt" --kubelet-client-key="$pki/apiserver-kubelet.key" \
    --requestheader-client-ca-file="$pki/ca.crt" --requestheader-username-headers=X-Remote-User \
    --proxy-client-cert-file="$pki/front-proxy.crt" --proxy-client-key-file="$pki/front-proxy.key" \
    --kubelet-preferred-address-types=InternalIP --allow-privileged
}

kubectl_as() {
  local name=$1
  shift
  "$kubernetes_bin/kubectl" --kubeconfig "$dir/$name.conf" --cache-dir "$dir/kubectl" "$@"
}

# Ready, and the namespaces are there that the server makes on its own.
api_is_ready() {
  servers_live || exit
  kubectl_as admin get --raw /readyz && kubectl_as admin get namespace default kube-system
}

control_plane_start() {
  api_pki && api_users_create && etcd_start && apiserver_start &&
    wait_for 120 "kube-apiserver" api_is_ready
}

# "restart": another API server on the same data, as after an upgrade or a crash.
instance_command() {
  [[ $1 == restart ]] || return 0
  rm -f "$dir/ready"
  server_stop apiserver
  apiserver_start && wait_for 120 "kube-apiserver" api_is_ready && : >"$dir/ready"
}

# api_supervise DIR PARENT STARTED LIMIT
api_supervise() {
  dir=$1
  trap instance_finish EXIT
  trap 'exit 1' INT TERM HUP
  free_address
  etcd_address=$address
  control_plane_start || exit
  : >"$dir/ready"
  supervise "$2" "$3" "$4"
}
