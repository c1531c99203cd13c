"""The nearest that pyinfra has to the playbook."""

from pyinfra.operations import server

server.shell(name="one command", commands=["/bin/true"])
