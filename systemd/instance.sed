# Makes leatd@.service, of which there may be several, out of leatd.service: each with its configuration, runtime and state folder.
s,^Description=.*,& (instance %i),
s,^ExecStart=.*,& -c @SYSCONFDIR@/leat/%i.ini,
s,^RuntimeDirectory=leat$,&/%i,
s,^StateDirectory=leat$,&/%i,
/^RuntimeDirectoryPreserve=/d
s,/etc/leat/,&%i/,
