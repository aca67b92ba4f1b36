/** Entries that a page of any list has at most, and unless told. */
export const maxPageSize = 500;
export const defaultPageSize = 50;
