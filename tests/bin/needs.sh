# Sourced: collects programs that are not here, then installs them (as root) or says the one line that does.

missing=

need() { # command, package
    if ! command -v "$1" >/dev/null 2>&1 && [ ! -x "/usr/sbin/$1" ]; then missing="$missing $2"; fi
}

provide() { # what for
    if [ -z "$missing" ]; then return 0; fi
    if [ "$(id -u)" != 0 ]; then
        echo "Not here, but needed for $1:$missing. This installs it:"
        echo "   sudo apt-get install --no-install-recommends$missing"
        exit 1
    fi
    echo "== installing what is needed for $1:$missing"
    apt-get update -q >/dev/null
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null
}
