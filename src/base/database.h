#ifndef DECOUPLE_DATABASE_H
#define DECOUPLE_DATABASE_H
static inline void database_wake_worker(void) {}
static inline bool database_has_worker(void) { return false; }
#endif
