// The floor: the least that the kernel must do for a container. Makes the cgroups (v2: one, joined by
// CLONE_INTO_CGROUP; v1: one in each hierarchy, joined), does clone3 with six namespaces, mounts proc, sysfs and a
// tmpfs, pivots, executes `true`, waits, and removes the cgroups.
//
//   floor ROOTFS    (with /bin/true in it)
#include <dirent.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_GROUPS 32
static char groups[MAX_GROUPS][256];
static int group_count;
static int v2 = -1;

static void die(const char* what) {
  perror(what);
  exit(1);
}

static void make_group(const char* hierarchy, int is_v2) {
  if (group_count == MAX_GROUPS) return;
  char* path = groups[group_count];
  snprintf(path, sizeof groups[0], "%s/floor-%d", hierarchy, getpid());
  if (mkdir(path, 0755) != 0) return;  // cpu and cpu,cpuacct are one hierarchy by two names
  ++group_count;
  if (is_v2) v2 = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
  if (strstr(path, "/cpuset/") != NULL) {  // takes nobody before it has CPUs and memory
    const char* files[] = {"cpuset.cpus", "cpuset.mems"};
    for (int i = 0; i < 2; ++i) {
      char file[512], value[4096];
      snprintf(file, sizeof file, "%s/%s", hierarchy, files[i]);
      int in = open(file, O_RDONLY);
      ssize_t size = read(in, value, sizeof value);
      close(in);
      snprintf(file, sizeof file, "%s/%s", path, files[i]);
      int out = open(file, O_WRONLY);
      if (size > 0 && write(out, value, size) < 0) die(file);
      close(out);
    }
  }
}

static void make_groups(void) {
  if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0) {
    make_group("/sys/fs/cgroup", 1);
    return;
  }
  DIR* directory = opendir("/sys/fs/cgroup");
  if (directory == NULL) return;
  for (struct dirent* entry; (entry = readdir(directory)) != NULL;) {
    char path[280];
    snprintf(path, sizeof path, "/sys/fs/cgroup/%s", entry->d_name);
    char procs[300];
    snprintf(procs, sizeof procs, "%s/cgroup.procs", path);
    if (entry->d_name[0] != '.' && access(procs, F_OK) == 0) {
      char control[320];
      snprintf(control, sizeof control, "%s/cgroup.controllers", path);
      make_group(path, access(control, F_OK) == 0);
    }
  }
  closedir(directory);
}

static void join_groups(pid_t pid) {
  char text[16];
  int size = snprintf(text, sizeof text, "%d", pid);
  for (int i = 0; i < group_count; ++i) {
    char file[300], type[300];
    snprintf(type, sizeof type, "%s/cgroup.type", groups[i]);
    if (access(type, F_OK) == 0) continue;  // born there
    snprintf(file, sizeof file, "%s/cgroup.procs", groups[i]);
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, size) < 0) die(file);
    close(fd);
  }
}

static void child(const char* root, int gate) {
  char go;
  if (read(gate, &go, 1) != 1) _exit(1);
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) die("private");
  if (mount(root, root, NULL, MS_BIND | MS_REC, NULL) != 0 || chdir(root) != 0) die("root");
  if (mount("proc", "proc", "proc", 0, NULL) != 0) die("proc");
  if (mount("sysfs", "sys", "sysfs", MS_RDONLY, NULL) != 0) die("sysfs");
  if (mount("tmpfs", "dev", "tmpfs", 0, NULL) != 0) die("tmpfs");
  if (syscall(SYS_pivot_root, ".", ".") != 0) die("pivot_root");
  if (umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) die("umount");
  char* arguments[] = {"true", NULL};
  char* environment[] = {NULL};
  execve("/bin/true", arguments, environment);
  die("true");
}

int main(int count, char** arguments) {
  if (count != 2) return 2;
  make_groups();
  int gate[2];
  if (pipe2(gate, O_CLOEXEC) != 0) die("pipe");
  struct clone_args clone = {
      .flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP,
      .exit_signal = SIGCHLD};
  if (v2 >= 0) {
    clone.flags |= CLONE_INTO_CGROUP;
    clone.cgroup = v2;
  }
  pid_t pid = syscall(SYS_clone3, &clone, sizeof clone);
  if (pid < 0) die("clone3");
  if (pid == 0) child(arguments[1], gate[0]);
  join_groups(pid);
  if (write(gate[1], "g", 1) != 1) die("gate");
  int status;
  if (waitpid(pid, &status, 0) < 0) die("wait");
  for (int i = 0; i < group_count; ++i) {
    while (rmdir(groups[i]) != 0) usleep(50);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
