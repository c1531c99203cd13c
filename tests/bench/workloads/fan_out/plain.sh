# The same on each host.
/bin/true
