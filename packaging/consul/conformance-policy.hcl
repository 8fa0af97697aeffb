# What the token of `trammel conformance run --mesh consul` may do (docs/meshes/consul.md): be the services of runs, and say who calls them.
# Names that begin otherwise are none of its business.
service_prefix "trammel-" {
  policy     = "write"
  intentions = "write"
}
# A sidecar finds the instances of a service by the nodes they are on.
node_prefix "" {
  policy = "read"
}
# The version, which the report names.
agent_prefix "" {
  policy = "read"
}
