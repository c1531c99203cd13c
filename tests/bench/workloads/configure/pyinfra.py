"""The nearest that pyinfra has to the playbook."""

from io import StringIO

from pyinfra import host
from pyinfra.operations import files, server

base = f"{host.data.bench_root}/{host.name}"
site = host.data.site

for directory in ["etc", "etc/sections", "var", "var/log", "bin"]:
    files.directory(path=f"{base}/{directory}", mode="750")
conf = f"# configuration of {host.name}\nworkers = {site % 4 + 1}\nuser ann 1001\nuser bea 1002\nuser cem 1003\n"
made = files.put(src=StringIO(conf), dest=f"{base}/etc/app.conf", mode="640")
for section in ["web", "mail", "news"]:
    text = f"section {section} {{\n    host {section}.{host.name};\n    root /srv/{section};\n}}\n"
    files.put(src=StringIO(text), dest=f"{base}/etc/sections/{section}", mode="644")
files.put(src=StringIO(f"This is {host.name}, a Linux machine.\n"), dest=f"{base}/etc/greeting", mode="644")
files.put(src=StringIO("#!/bin/sh\nexec sleep 1\n"), dest=f"{base}/bin/start", mode="755")
server.shell(commands=[f"test -f {base}/etc/app.ini || printf 'mode=old\\n' > {base}/etc/app.ini"])
files.replace(path=f"{base}/etc/app.ini", text="^mode=old$", replace="mode=new")
files.line(path=f"{base}/etc/app.ini", line="owner=bench")
files.line(path=f"{base}/etc/app.ini", line=f"clients={site + 10}")
files.block(path=f"{base}/etc/greeting.d", content=f"site {site}")
server.shell(commands=[f"cat {base}/etc/app.ini"])
files.link(path=f"{base}/etc/current", target=f"{base}/etc/app.conf")
files.file(path=f"{base}/var/log/app.log", mode="644")
server.shell(commands=[f"test -f {base}/var/initialised || touch {base}/var/initialised"])
files.file(path=f"{base}/etc/old.conf", present=False)
server.shell(commands=[f"base64 {base}/etc/greeting"])
server.shell(commands=[f"test -f {base}/var/reloaded || touch {base}/var/reloaded"])
server.shell(commands=[f"test -f {base}/var/restarted || echo restarted >> {base}/var/restarted"])
