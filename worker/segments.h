/*
 * How many parts a gateway makes of a text message, and bills: one of 160
 * septets (GSM-7), else parts of 153; with a single character that is not in
 * GSM-7, such as any Cyrillic one, one of 70 units of UCS-2, else parts of
 * 67.
 */

#ifndef LEADQ_SEGMENTS_H
#define LEADQ_SEGMENTS_H

#include <stddef.h>

/*
 * The parts of a text in UTF-8; 0 for an empty one, -1 for what is no UTF-8.
 * No character is split over two of them.  For the worker, which reports
 * them, and for leadqctl, which says them beforehand.
 */
long segments_count(const char *text, size_t len);

#endif
