//! Keys that Falco had once, and what is to be done instead.

/// A key, whole or with everything below it, and the advice.
pub const REMOVED: &[(&str, &str)] = &[
    ("grpc", "the gRPC server is gone since Falco 0.44; receive alerts with http_output"),
    ("grpc_output", "the gRPC output is gone since Falco 0.44; use http_output"),
    ("engine.ebpf", "the old eBPF probe is gone since Falco 0.44; use engine.kind: modern_ebpf"),
    ("engine.gvisor", "gVisor is no source of events since Falco 0.44; leave it out"),
    ("gvisor", "gVisor is no source of events since Falco 0.44; leave it out"),
    ("outputs", "alerts are not rate-limited since Falco 0.36; limit them where they are received"),
    ("syscall_buf_size_preset", "use engine.modern_ebpf.buf_size_preset"),
    ("syscall_drop_failed_exit", "use engine.modern_ebpf.drop_failed_exit"),
    ("modern_bpf", "use engine.modern_ebpf.cpus_for_each_buffer"),
    ("container_engines", "containers are found by their cgroups and runtimes; see peregrine.containers.*"),
    ("metadata_download", "Kubernetes metadata is no longer downloaded by Falco's engine; leave it out"),
    ("webserver.k8s_audit_endpoint", "the audit log comes from the k8saudit plugin since Falco 0.32"),
    ("rule_files", "it never had an effect; the key is rules_files"),
];

/// The advice for a key.
pub fn advice(path: &str) -> Option<&'static str> {
    let within = |key: &str| path == key || path.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
    REMOVED.iter().find(|(key, _)| within(key)).map(|(_, advice)| *advice)
}
