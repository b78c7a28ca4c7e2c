#include "array.h"

void
array_add(buf_t *array, const char *element)
{
    buf_add_char(array, array->len == 0 ? '{' : ',');
    if (element == NULL) {
        buf_add_str(array, "NULL");
        return;
    }
    buf_add_char(array, '"');
    for (; *element != '\0'; element++) {
        if (*element == '"' || *element == '\\') {
            buf_add_char(array, '\\');
        }
        buf_add_char(array, *element);
    }
    buf_add_char(array, '"');
}

void
array_end(buf_t *array)
{
    buf_add_str(array, array->len == 0 ? "{}" : "}");
}
