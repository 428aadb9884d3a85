#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H

/* How many blocks this process has allocated so far. */
unsigned long allocations(void);

#endif
