/*
 * What the doctor can see on this host: the worker's configuration, who may
 * read its secrets, room for the spool.
 */

#include "ctl_doctor.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MIB (1024.0 * 1024.0)
#define SPOOL_WARN_MIB 1024.0
#define SPOOL_FAIL_MIB 128.0

/* A secret that others may read is none; a key that others may write, too. */
static void
check_secret_file(doctor_t *doctor, const char *check, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        doctor_say(doctor, DOCTOR_FAIL, check,
                   "create it, or correct the path in worker.conf", "%s: %s",
                   path, strerror(errno));
        return;
    }
    if (st.st_mode & (S_IRWXO | S_IWGRP)) {
        doctor_say(doctor, DOCTOR_FAIL, check,
                   "let its owner and readers of its group only: chmod 640",
                   "%s has mode %03o", path, (unsigned)(st.st_mode & 0777));
        return;
    }
    doctor_say(doctor, DOCTOR_OK, check, NULL, "%s", path);
}

static void
check_secrets_dir(doctor_t *doctor, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        doctor_say(doctor, DOCTOR_FAIL, "secrets directory",
                   "create it, or correct secrets_dir", "%s: %s", path,
                   strerror(errno));
    } else if (st.st_mode & S_IRWXO) {
        doctor_say(doctor, DOCTOR_FAIL, "secrets directory",
                   "close it to others: chmod 750", "%s has mode %03o", path,
                   (unsigned)(st.st_mode & 0777));
    } else {
        doctor_say(doctor, DOCTOR_OK, "secrets directory", NULL, "%s", path);
    }
}

static void
check_conf(doctor_t *doctor)
{
    const char *path = doctor->options->conf;
    char err[512];

    doctor->conf = conf_load(path, err, sizeof(err));
    if (doctor->conf == NULL) {
        doctor_say(doctor, DOCTOR_FAIL, "configuration",
                   "correct the file; leadq-worker -t checks it", "%s", err);
        return;
    }
    doctor_say(doctor, DOCTOR_OK, "configuration", NULL, "%s", path);
    check_secret_file(doctor, "key file", doctor->conf->keys_file);
    if (doctor->conf->smtp_password_file != NULL) {
        check_secret_file(doctor, "password file",
                          doctor->conf->smtp_password_file);
    }
    if (doctor->conf->code_keys_file != NULL) {
        check_secret_file(doctor, "code_keys", doctor->conf->code_keys_file);
    }
    if (doctor->conf->check_keys_file != NULL) {
        check_secret_file(doctor, "check_keys", doctor->conf->check_keys_file);
    }
    if (doctor->conf->secrets_dir != NULL) {
        check_secrets_dir(doctor, doctor->conf->secrets_dir);
    }
}

static void
check_spool(doctor_t *doctor)
{
    const char *path = doctor->options->spool;
    struct statvfs fs;
    double free_mib;

    if (statvfs(path, &fs) != 0) {
        doctor_say(doctor, DOCTOR_FAIL, "spool",
                   "create the directory, or correct the path", "%s: %s", path,
                   strerror(errno));
        return;
    }
    free_mib = (double)fs.f_bavail * (double)fs.f_frsize / MIB;
    doctor_say(doctor,
               free_mib < SPOOL_FAIL_MIB   ? DOCTOR_FAIL
               : free_mib < SPOOL_WARN_MIB ? DOCTOR_WARN
                                           : DOCTOR_OK,
               "spool", "make room on its file system", "%s: %.0f MiB free",
               path, free_mib);
}

void
doctor_host(doctor_t *doctor)
{
    if (doctor->options->conf != NULL) {
        check_conf(doctor);
    }
    if (doctor->options->spool != NULL) {
        check_spool(doctor);
    }
}
