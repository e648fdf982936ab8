/* Reaches the entry points, so that the linker has to resolve all they can call. */
extern int receive(), of_world(), transmit(), segment(), coalesce(), age(), suppress(),
    filtered(), list(), transmit_to_group(), mdb_requests();
extern int requests();
#ifdef CONTROL
extern int control();
#endif
int (*volatile entries[])() = {
    receive, of_world, transmit, segment, coalesce, age, suppress, filtered, list,
    transmit_to_group, mdb_requests,
    requests,
#ifdef CONTROL
    control,
#endif
};
int main(void) { return entries[0] == 0; }
