# Keys and certificates of one instance, in its folder pki. Valid for two days: no instance lives longer.
# shellcheck shell=bash disable=SC2154 # variables of the other parts

pki_key() {
  openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
}

# pki_authority DIR
pki_authority() {
  mkdir -p "$1"
  (
    cd "$1" && pki_key ca &&
      openssl req -x509 -new -key ca.key -subj /CN=trammel-testbed -days 2 -out ca.crt
  )
}

# pki_certificate DIR NAME SUBJECT [NAMES]: signed by the authority, for clients and servers.
pki_certificate() {
  local name=$2 subject=$3 names=${4:-}
  (
    cd "$1" && pki_key "$name" &&
      openssl req -new -key "$name.key" -subj "$subject" -out "$name.csr" &&
      printf 'keyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n%s\n' "${names:+subjectAltName=$names}" >"$name.ext" &&
      openssl x509 -req -in "$name.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile "$name.ext" -out "$name.crt" &&
      rm -f "$name.csr" "$name.ext"
  ) 2>>"$1/openssl.log"
}
