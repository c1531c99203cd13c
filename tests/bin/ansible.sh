# Sourced: provides a real ansible-core in an environment of its own, kept below the target directory between runs.
# Sets `peers` (folder of its own), `venv`, and `out` (where cargo puts programs). Ends the caller where it cannot be had:
# what was not compared does not count as passed.

# The release whose language sasrun speaks, and the collection of collections of its time.
ansible_core=2.19.14
ansible_collections=12.3.0

target=${CARGO_TARGET_DIR:-target}
peers=$target/peers
venv=$peers/venv-$ansible_core
out=$target/debug
if [ "${PROFILE:-dev}" != dev ]; then out=$target/$PROFILE; fi

not_run() {
    echo "not run, which does not count as passed: $1"
    exit 2
}

provide_ansible() {
    if [ -x "$venv/bin/ansible-playbook" ]; then return 0; fi
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
        || not_run "python3 3.11 or newer is not here"
    echo "== installing ansible-core $ansible_core below $peers"
    mkdir -p "$peers"
    rm -rf "$venv"
    python3 -m venv "$venv" >/dev/null 2>&1 || { rm -rf "$venv"; not_run "python3 -m venv fails (Debian: python3-venv)"; }
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "ansible-core==$ansible_core" \
        || { rm -rf "$venv"; not_run "ansible-core cannot be fetched from the package registry"; }
}

provide_collections() {
    if [ -f "$peers/ansible-$ansible_collections-py3-none-any.whl" ]; then return 0; fi
    echo "== fetching the collections of ansible $ansible_collections"
    "$venv/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --dest "$peers" "ansible==$ansible_collections" \
        || not_run "the package ansible cannot be fetched from the package registry"
}

build_peers() {
    echo "== building"
    cargo build --quiet --profile "${PROFILE:-dev}" --workspace --lib --bins
}
