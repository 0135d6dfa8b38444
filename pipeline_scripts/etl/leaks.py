"""Looks for personal values in what was written: all of the source's own in all of it, and whatever looks like one.

Values are compared by a 64-bit hash of their lower-case form, so that nothing long is moved: that two of ten million
meet by chance happens in one of a million runs. Nothing is sampled. In free text a value is found where its words
stand in a row; a single common word there (a surname that is also a colour) tells nothing, so of values of one word
only those with digits or an @ count.
"""

from collections import Counter
from functools import reduce
from operator import or_

from pyspark import StorageLevel
from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline_scripts.etl.patterns import KINDS, POSSIBLE, kinds_in
from pipeline_scripts.model import Column, Model

LONGEST_COINCIDENCE = 3  # shorter values (ages, flags, codes) meet by chance and tell nothing
MOST_WORDS = 8  # of a value that is looked for inside a text: a name, an address
TELLING_DIGITS = 7  # a shorter number inside a text is a year or an amount
BROADCAST_ROWS = 3_000_000  # hashes that fit every executor's memory many times
HASH_FORM = "^[0-9a-f]{64}$"
PUNCTUATION = ".,;:!?()[]{}<>\"'`*_#|/\\"


def find_leaks(*, source: DataFrame, output: DataFrame, model: Model) -> list[str]:
    """Which personal column's values stand in which text column of the output; one sentence each, without a value.

    Personal is every column that is not simply kept. Of a column cut to a prefix, only values longer than that count.
    """
    problems = _misshapen_hashes(output, model)
    texts = [column for column in model.columns if column.output and column.curated_type == "string"]
    texts = [column for column in texts if column.treatment != "keyed_hash"]
    personal = [column for column in model.columns if column.treatment != "keep"]
    if not texts or not personal:
        return problems
    sizes = _word_counts(source, personal) if any(column.free_text for column in texts) else []
    written = _written(output, texts, sizes).distinct().persist(StorageLevel.MEMORY_AND_DISK)
    # Spark's guess of the size is of no use here: what is small is sent to all, what is not is met half way.
    hint = "broadcast" if written.count() <= BROADCAST_ROWS else "shuffle_hash"
    values = _long_form(source, {column.name: _hash(_telling(column)) for column in personal}, "value_of")
    hits = values.join(written.hint(hint), "value").groupBy("written_in", "value_of")
    found = hits.agg(F.countDistinct("value").alias("values")).orderBy("written_in", "value_of").collect()
    written.unpersist()
    return [
        *problems,
        *(
            f"{hit['written_in']}: holds {hit['values']} value(s) of {hit['value_of']}; drop, hash or generalise it"
            for hit in found
        ),
    ]


def find_patterns(*, output: DataFrame, model: Model) -> list[str]:
    """Which kept text column holds what looks like personal data, free text included; one sentence each, no value.

    Spark's own functions find what may be personal; check digits are verified on the driver, one partition's
    candidates at a time. Clean data has next to no candidates, so it costs one pass over the kept texts.
    """
    kept = [column for column in model.columns if column.treatment == "keep" and column.type == "string"]
    allowed = {column.output or "": column.may_look_like for column in kept}
    if not kept:
        return []
    value = F.col("value")
    suspicious = value.rlike(POSSIBLE) & reduce(or_, (value.rlike(kind.candidate) for kind in KINDS))
    cells = _long_form(output, {name: F.col(name) for name in allowed}, "written_in")
    candidates = cells.where(suspicious).distinct()
    hits = Counter(
        (cell["written_in"], kind)
        for cell in candidates.toLocalIterator()
        for kind in set(kinds_in(cell["value"], but=allowed[cell["written_in"]]))
    )
    return [
        f"{column}: {texts_hit} different text(s) hold what looks like a personal {kind}; drop, hash or generalise it, "
        "or name the pattern under may_look_like if the values are known to be no such thing"
        for (column, kind), texts_hit in sorted(hits.items())
    ]


def _misshapen_hashes(output: DataFrame, model: Model) -> list[str]:
    """Columns of keyed hashes with something else in them; a value of the source cannot look like a hash."""
    hashes = [column.output for column in model.columns if column.treatment == "keyed_hash" and column.output]
    if not hashes:
        return []
    counts = output.agg(*(F.count(F.when(~F.col(name).rlike(HASH_FORM), 1)).alias(name) for name in hashes)).first()
    assert counts is not None
    stray = [(name, counts[name]) for name in hashes if counts[name]]
    return [f"{name}: holds {count} value(s) that are no hash; run the job again" for name, count in stray]


def _word_counts(source: DataFrame, personal: list[Column]) -> list[int]:
    """Of how many words the personal values are: no other groups of words need to be looked at."""
    counts = []
    for column in personal:
        text = _telling(column)
        counts.append(F.collect_set(F.length(text) - F.length(F.replace(text, F.lit(" "))) + 1))
    found = source.agg(*(count.alias(str(place)) for place, count in enumerate(counts))).first() or ()
    return sorted({size for sizes in found for size in sizes if size <= MOST_WORDS})


def _written(output: DataFrame, texts: list[Column], sizes: list[int]) -> DataFrame:
    """The hash of every text, and of every group of words of a free text."""
    whole = _long_form(
        output, {str(column.output): _hash(_normal(F.col(str(column.output)))) for column in texts}, "written_in"
    )
    inside = [_inside(output, str(column.output), sizes) for column in texts if column.free_text and sizes]
    return reduce(DataFrame.unionByName, inside, whole)


def _inside(output: DataFrame, name: str, sizes: list[int]) -> DataFrame:
    """The hashes of groups of so many words in a row, of words as they stand between spaces, without punctuation."""
    words, places = F.split(F.lower(F.col(name)), r"\s+"), range(max(sizes))
    # Each word beside those that follow it: all that comes after is plain columns, which Spark compiles.
    following = F.arrays_zip(*(F.slice(words, place + 1, F.size(words)).alias(f"w{place}") for place in places))
    rows = output.where(F.col(name).isNotNull()).select(F.explode(following).alias("words"))
    trimmed = rows.select(*(F.btrim(f"words.w{place}", F.lit(PUNCTUATION)).alias(f"w{place}") for place in places))
    hashes = F.array(*(_hash(_group(size)) for size in sizes))
    found = trimmed.select(F.explode(hashes).alias("value")).where(F.col("value").isNotNull())
    return found.select(F.lit(name).alias("written_in"), "value")


def _group(size: int) -> SparkColumn:
    """So many words as one text; NULL where fewer are left, or where a single one tells nothing."""
    words = [F.col(f"w{start}") for start in range(size)]
    if size == 1:
        return F.when(_tells_alone(words[0]), words[0])
    return F.when(words[-1].isNotNull(), F.concat_ws(" ", *words))


def _tells_alone(word: SparkColumn) -> SparkColumn:
    digits = F.length(word) - F.length(F.translate(word, "0123456789", ""))
    is_code = (digits > 0) & (digits < F.length(word)) & (F.length(word) >= TELLING_DIGITS)
    return word.contains("@") | (digits >= TELLING_DIGITS) | is_code


def _telling(column: Column) -> SparkColumn:
    """The column's values as text, NULL where they are too short to tell anything."""
    text = F.col(column.name).cast("string")
    return F.when(F.length(text) > max(LONGEST_COINCIDENCE, column.prefix or 0), _normal(text))


def _hash(text: SparkColumn) -> SparkColumn:
    """64 bits; of NULL, NULL, for which Spark has a hash too."""
    return F.when(text.isNotNull(), F.xxhash64(text))


def _normal(text: SparkColumn) -> SparkColumn:
    """As texts are compared: in lower case, and without the commas between words, which a text's words lose too."""
    return F.lower(F.trim(F.replace(text, F.lit(", "), F.lit(" "))))


def _long_form(frame: DataFrame, columns: dict[str, SparkColumn], name: str) -> DataFrame:
    """One row a value: in which column it stands, and what it is."""
    cells = F.array(*(F.struct(F.lit(label).alias(name), column.alias("value")) for label, column in columns.items()))
    return frame.select(F.explode(cells).alias("cell")).select("cell.*").where(F.col("value").isNotNull())
