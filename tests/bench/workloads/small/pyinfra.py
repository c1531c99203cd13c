"""The nearest that pyinfra has to the playbook."""

from pyinfra import host
from pyinfra.operations import server

root = f"{host.data.bench_root}/{host.name}"
commands = [
    "/bin/true",
    "uname -s",
    "echo $((6 * 7))",
    "id -un",
    f"echo {host.name}",
    "test -r /etc/passwd && echo readable",
    "/bin/true",
    "date +%Y",
    "echo a b c | wc -w",
    "ls /usr",
    "hostname",
    "for n in 1 2 3; do echo $n; done",
    "/bin/true",
    "cat /etc/hostname",
    "pwd",
    "echo word; echo problem >&2",
    "uname -m",
    f"echo site {host.data.site}",
    "umask 077; umask",
    "/bin/true",
    "id -g",
    "A=1; echo value $A",
    "date +%s",
    "/bin/true",
    f"echo {host.name} > {root}/done",
]
for number, command in enumerate(commands, 1):
    server.shell(name=f"number {number}", commands=[command])
