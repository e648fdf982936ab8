/* Reaches the entry points, so that the linker has to resolve all they can call. */
extern int receive(), transmit(), segment(), coalesce(), age(), suppress();
#ifdef CONTROL
extern int control();
#endif
int (*volatile entries[])() = {
    receive, transmit, segment, coalesce, age, suppress,
#ifdef CONTROL
    control,
#endif
};
int main(void) { return entries[0] == 0; }
