#include "verdict.h"
#include "jpath.h"

#include <stddef.h>
#include <string.h>

static const char *const verdicts[] = {"pending", "passed", "failed",
                                       "unavailable"};

static const char *
find(const char *word)
{
    size_t i;

    for (i = 0; word != NULL && i < sizeof(verdicts) / sizeof(*verdicts); i++)
    {
        if (strcmp(verdicts[i], word) == 0) {
            return verdicts[i];
        }
    }
    return NULL;
}

int
verdict_is(const char *word)
{
    return find(word) != NULL;
}

const char *
verdict_read(const json_t *how, const json_t *answer)
{
    const json_t *words = json_object_get(how, "states");
    char number[JPATH_NUMBER];
    const char *said, *verdict;
    const json_t *word;

    said = jpath_text_at(
        answer, json_string_value(json_object_get(how, "state")), number);
    if (said == NULL) {
        return verdicts[0];
    }
    word = json_object_get(words, said);
    word = word == NULL ? json_object_get(words, VERDICT_OTHERS) : word;
    verdict = find(json_string_value(word));
    return verdict == NULL ? verdicts[0] : verdict;
}
