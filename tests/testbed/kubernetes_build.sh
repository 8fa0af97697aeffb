# Kubernetes 1.20.2 from the source package of Debian 12, which carries the complete tree with all it depends on, by the
# distribution's Go: nothing but the Debian archive is needed. About five minutes on two cores, once.
# shellcheck shell=bash disable=SC2154 # variables of the other parts

readonly kubernetes_version=1.20.2
readonly kubernetes_recipe=2 # counts the changes of what is compiled, so that a cache from before is not used
readonly kubernetes_bin=$testbed_cache/kubernetes-$kubernetes_version-$kubernetes_recipe
readonly kubernetes_programs=(kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl)
readonly go_root=/usr/lib/go-1.19
readonly reflect2=/usr/share/gocode/src/github.com/modern-go/reflect2

# kubernetes_is_built: whether the cache has all programs. The folder is put in place as the last step.
kubernetes_is_built() {
  [[ -d $kubernetes_bin ]]
}

# kubernetes_source WORK TREE: the unpacked source.
kubernetes_source() {
  local work=$1 tree=$2 validation
  mkdir -p "$work/source" "${tree%/*}"
  (cd "$work/source" && debian_apt "$work/apt" bookworm source -qq --download-only kubernetes) || return
  dpkg-source --no-check -x "$work/source"/kubernetes_*.dsc "$tree" >/dev/null || return
  # The reflect2 in the tree, 1.0.1, crashes under Go 1.19 when a custom resource is first written; Debian's 1.0.2 does not.
  rm -f "$tree"/vendor/github.com/modern-go/reflect2/*.{go,s}
  cp "$reflect2"/*.{go,s} "$tree/vendor/github.com/modern-go/reflect2/" || return
  # Validation of custom resources asks whether a value is at the address of reflect's zero one. Under Go 1.19 an empty string
  # is, and so "" would be taken for null, which no released Kubernetes does.
  validation=$tree/vendor/k8s.io/kube-openapi/pkg/validation/validate/type.go
  sed -i 's/if data == nil || reflect\.DeepEqual(reflect\.Zero(.*{$/if data == nil {/' "$validation"
  grep -q '^	if data == nil {$' "$validation"
}

# kubernetes_openapi WORK: pkg/generated/openapi, which the source leaves to its build. Runs in the tree.
kubernetes_openapi() {
  local work=$1 folders
  go build -o "$work/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen || return
  folders=$(grep -rl --include='*.go' '+k8s:openapi-gen=' pkg staging/src/k8s.io cmd plugin |
    grep -v -e code-generator -e sample-apiserver | xargs -n 1 dirname | sort -u |
    sed -e 's,^staging/src/,k8s.io/kubernetes/vendor/,;t' -e 's,^,k8s.io/kubernetes/,' | paste -sd ,)
  "$work/openapi-gen" --logtostderr -i "$folders" -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi \
    -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt -r "$work/openapi-violations.txt"
}

# kubernetes_compile WORK TREE: the programs in WORK/bin. In GOPATH mode: the tree's modules are not complete.
kubernetes_compile() {
  local work=$1 tree=$2 flags="-s -w" package program targets=()
  export GOROOT=$go_root PATH=$go_root/bin:$PATH GO111MODULE=off GOFLAGS='' GOPROXY=off GOPATH=$work/gopath GOCACHE=$work/gocache
  export CGO_ENABLED=0
  cd "$tree" || return
  kubernetes_openapi "$work" || return
  for package in component-base/version client-go/pkg/version; do
    package=k8s.io/kubernetes/vendor/k8s.io/$package
    flags+=" -X $package.gitVersion=v$kubernetes_version -X $package.gitMajor=1 -X $package.gitMinor=20"
  done
  for program in "${kubernetes_programs[@]}"; do
    targets+=("./cmd/$program")
  done
  mkdir -p "$work/bin"
  go build -ldflags "$flags" -o "$work/bin/" "${targets[@]}"
}

# Builds into the cache, unless that is done. Needs 3 GB there meanwhile; 450 MB stay.
kubernetes_build() {
  local work code=0
  kubernetes_is_built && return
  require_commands golang-1.19-go="$go_root/bin/go" dpkg-dev=dpkg-source apt=apt-get
  [[ -d $reflect2 ]] || missing "package golang-github-modern-go-reflect2-dev is missing; ./bootstrap packages cluster installs it"
  rm -rf "$testbed_cache"/build.* # of a build that was killed; the lock is held
  work=$(mktemp -d "$testbed_cache/build.XXXXXX")
  note "building Kubernetes $kubernetes_version into $kubernetes_bin; this takes some minutes"
  kubernetes_source "$work" "$work/gopath/src/k8s.io/kubernetes" &&
    (kubernetes_compile "$work" "$work/gopath/src/k8s.io/kubernetes") || code=$?
  if ((code == 0)); then
    mv "$work/bin" "$kubernetes_bin"
  fi
  chmod -R u+w "$work"
  rm -rf "$work"
  return "$code"
}
