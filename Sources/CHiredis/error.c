/* Errors: what a Redis error line means, told by its text. The texts are those of Redis 6.2 to 8 and of Valkey. */
#include "CHiredis.h"

#include <string.h>

/* One text that an error line may begin with, and the kind that it gives. */
struct rule {
    const char *text;
    hg_error_kind kind;
};

/* First words that Redis reserves. Inside scripts they stay, and gain " script: <sha>, on @user_script:1." behind. */
static const struct rule words[] = {
    {"NOSCRIPT", HG_ERROR_NOSCRIPT},
    {"MOVED", HG_ERROR_MOVED},
    {"ASK", HG_ERROR_ASK},
    {"TRYAGAIN", HG_ERROR_TRYAGAIN},
    {"CLUSTERDOWN", HG_ERROR_CLUSTERDOWN},
    {"CROSSSLOT", HG_ERROR_CROSSSLOT},
    {"MASTERDOWN", HG_ERROR_MASTERDOWN},
    {"LOADING", HG_ERROR_LOADING},
    {"READONLY", HG_ERROR_READONLY},
    {"BUSY", HG_ERROR_BUSY},
    {"NOAUTH", HG_ERROR_NOAUTH},
    {"WRONGPASS", HG_ERROR_WRONGPASS},
    {"NOPERM", HG_ERROR_NOPERM},
    {"NOREPLICAS", HG_ERROR_NOREPLICAS},
    {"MISCONF", HG_ERROR_MISCONF},
    {"OOM", HG_ERROR_OOM},
    {"WRONGTYPE", HG_ERROR_WRONGTYPE},
};

/* Beginnings of lines whose first word, ERR, says nothing. Inside scripts Redis' own refusals lose their words. */
static const struct rule beginnings[] = {
    /* Its cluster form goes on "clients + cluster connections reached". */
    {"ERR max number of clients", HG_ERROR_MAXCLIENTS},
    /* "run this command or subcommand", "access at least one of the keys ..." (Redis 7.0) */
    {"ERR The user executing the script can't", HG_ERROR_NOPERM},
    /* the same since Redis 7.2, and in Valkey */
    {"ERR ACL failure in script", HG_ERROR_NOPERM},
    /* A key that was not declared lies on another node, or in another slot. */
    {"ERR Script attempted to access a non local key", HG_ERROR_CROSSSLOT},
    {"ERR Script attempted to access keys that do not hash to the same slot", HG_ERROR_CROSSSLOT},
    /* any failure inside a script before Redis 7 */
    {"ERR Error running script", HG_ERROR_SCRIPT},
};

/* What Redis 7 and Valkey put behind each error that a script raised. */
static const char script_mark[] = " script: ";

/* Returns 1 when the text begins with `beginning`, else 0. */
static int begins(const char *text, size_t length, const char *beginning) {
    size_t wanted = strlen(beginning);

    return length >= wanted && memcmp(text, beginning, wanted) == 0;
}

/* Returns 1 when the text's first word is `word`, else 0. */
static int begins_with_word(const char *text, size_t length, const char *word) {
    size_t wanted = strlen(word);

    return begins(text, length, word) && (length == wanted || text[wanted] == ' ');
}

/* Returns 1 when `part` stands somewhere in the text, else 0. */
static int contains(const char *text, size_t length, const char *part) {
    size_t wanted = strlen(part);
    size_t start;

    for (start = 0; start + wanted <= length; start++) {
        if (memcmp(text + start, part, wanted) == 0) {
            return 1;
        }
    }
    return 0;
}

/* See CHiredis.h. Nothing is allocated or kept. */
hg_error_kind hg_error_classify(const char *text, size_t length) {
    size_t index;

    if (text == NULL) {
        return HG_ERROR_OTHER;
    }
    for (index = 0; index < sizeof(words) / sizeof(words[0]); index++) {
        if (begins_with_word(text, length, words[index].text)) {
            return words[index].kind;
        }
    }
    for (index = 0; index < sizeof(beginnings) / sizeof(beginnings[0]); index++) {
        if (begins(text, length, beginnings[index].text)) {
            return beginnings[index].kind;
        }
    }
    return contains(text, length, script_mark) ? HG_ERROR_SCRIPT : HG_ERROR_OTHER;
}
