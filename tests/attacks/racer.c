// Exchanges two paths as fast as it can until it is killed: racer A B
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXCHANGE 2  // RENAME_EXCHANGE

int main(int count, char** arguments) {
  if (count != 3) return 2;
  for (;;) syscall(SYS_renameat2, AT_FDCWD, arguments[1], AT_FDCWD, arguments[2], EXCHANGE);
}
