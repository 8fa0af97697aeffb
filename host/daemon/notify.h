/* Tells systemd how it is (sd_notify(3)). */
#ifndef TRAMMEL_HOST_DAEMON_NOTIFY_H
#define TRAMMEL_HOST_DAEMON_NOTIFY_H

/* "READY=1", "STOPPING=1". Nothing when systemd did not ask. */
void notify(const char *state);

#endif
