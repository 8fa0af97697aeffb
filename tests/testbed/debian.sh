# Packages of Debian for the cache: fetched and unpacked there, not installed. So nothing is started, nothing that the machine
# runs already is replaced (containerd and runc would take Docker's away), and releases other than the machine's can be had.
# shellcheck shell=bash disable=SC2154 # variables of the other parts

# Where apt gets Debian from on this machine.
debian_mirror() {
  local mirror
  # shellcheck disable=SC2016 # $(…) is for apt-get
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Component: main' 2>/dev/null | head -n 1)
  [[ -n $mirror ]] || missing "apt knows no mirror of Debian; run apt-get update, or see that its sources name one"
  printf '%s\n' "$mirror"
}

# debian_apt DIR SUITE ARGUMENT...: apt-get with lists and caches of its own in DIR, which holds only this suite of Debian.
debian_apt() {
  local dir=$1 suite=$2 mirror
  shift 2
  if [[ ! -f $dir/sources.list ]]; then
    mirror=$(debian_mirror) || return
    mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
    printf "%s [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main\n" deb deb-src >"$dir/sources.list"
    debian_apt "$dir" "$suite" update -qq || return
  fi
  apt-get -o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/nonexistent -o "Dir::State::Lists=$dir/lists" \
    -o "Dir::Cache=$dir/cache" -o APT::Sandbox::User=root "$@"
}

# debian_unpack SUITE TARGET PACKAGE...: what these packages install, below TARGET.
debian_unpack() {
  local suite=$1 target=$2 work code=0
  shift 2
  require_commands apt=apt-get dpkg=dpkg-deb
  work=$(mktemp -d "$testbed_cache/unpack.XXXXXX") || return
  (cd "$work" && debian_apt "$work/apt" "$suite" download -qq "$@") &&
    unpack_archives "$work" "$@" && rm -rf "$target" && mv "$work/root" "$target" || code=$?
  rm -rf "$work"
  return "$code"
}

# unpack_archives DIR PACKAGE...: those in DIR, into DIR/root.
unpack_archives() {
  local dir=$1 package
  shift
  for package in "$@"; do
    dpkg-deb -x "$dir/$package"_*.deb "$dir/root" || return
  done
}

# The servers that Debian 12 has as packages.
readonly debian_servers=$testbed_cache/servers-bookworm

debian_servers_are_fetched() {
  [[ -d $debian_servers ]]
}

debian_servers_fetch() {
  debian_servers_are_fetched || debian_unpack bookworm "$debian_servers" etcd-server containerd runc containernetworking-plugins
}
