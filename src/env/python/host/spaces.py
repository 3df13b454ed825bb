"""Spaces: told to Operant as JSON, observations written as flat rows, flat actions read. Known by their classes' names, so that
whoever has spaces of their own needs no Gymnasium."""

import math

import numpy as np

KINDS = ("Box", "Discrete", "MultiDiscrete", "MultiBinary", "Dict", "Tuple", "Text")


class UnsupportedSpace(Exception):
    pass


class WrongShape(Exception):
    pass


def kind_of(space):
    for base in type(space).__mro__:
        if base.__name__ in KINDS:
            return base.__name__
    raise UnsupportedSpace(f"{type(space).__name__} is none of {', '.join(KINDS)}")


def bound_to_json(bound):
    values = np.asarray(bound, np.float64).ravel()
    texts = [float(x) if math.isfinite(x) else ("inf" if x > 0 else "-inf") for x in np.unique(values)[:2]]
    if len(texts) == 1:
        return texts[0]
    return [float(x) if math.isfinite(x) else ("inf" if x > 0 else "-inf") for x in values]


def to_json(space):
    """As Operant's `spaceFromJson` reads it."""
    kind = kind_of(space)
    if kind == "Box":
        shape = [int(n) for n in space.shape]
        dtype = "uint8" if space.dtype == np.uint8 else "float32"
        return {"kind": "box", "dtype": dtype, "shape": shape, "low": bound_to_json(space.low), "high": bound_to_json(space.high)}
    if kind == "Discrete":
        return {"kind": "discrete", "n": int(space.n), "start": int(getattr(space, "start", 0))}
    if kind == "MultiDiscrete":
        return {"kind": "multi-discrete", "nvec": [int(n) for n in np.ravel(space.nvec)]}
    if kind == "MultiBinary":
        return {"kind": "multi-binary", "n": int(np.prod(space.shape))}
    if kind == "Text":
        size = len(character_numbers(space))
        return {"kind": "box", "dtype": "float32", "shape": [int(space.max_length)], "low": 0.0, "high": float(size)}
    if kind == "Dict":
        return {"kind": "dict", "spaces": {str(key): to_json(part) for key, part in dict_parts(space)}}
    return {"kind": "tuple", "spaces": [to_json(part) for part in space.spaces]}


def dict_parts(space):
    """In the order in which Operant flattens them."""
    return sorted(space.spaces.items(), key=lambda item: str(item[0]))


def character_numbers(space):
    """From 1; 0 fills a text up to its greatest length."""
    return {character: k + 1 for k, character in enumerate(sorted(space.character_set))}


def flat_size(space):
    kind = kind_of(space)
    if kind == "Box":
        return int(np.prod(space.shape))
    if kind == "Discrete":
        return int(space.n)
    if kind == "MultiDiscrete":
        return int(np.sum(space.nvec))
    if kind == "MultiBinary":
        return int(np.prod(space.shape))
    if kind == "Text":
        return int(space.max_length)
    return sum(flat_size(part) for part in parts_of(space))


def parts_of(space):
    return [part for _, part in dict_parts(space)] if kind_of(space) == "Dict" else list(space.spaces)


def row_dtype(space):
    return np.uint8 if kind_of(space) == "Box" and space.dtype == np.uint8 else np.float32


def check_shape(value, shape):
    if np.shape(value) != shape:
        raise WrongShape(f"the space has the shape {tuple(shape)}, and the observation {np.shape(value)}")


def observation_writer(space):
    """A function (row, observation) that writes one flat row, [flat_size(space)]."""
    kind = kind_of(space)
    if kind == "Box":
        shape = tuple(space.shape)
        is_flat = len(shape) == 1

        def write_box(row, value):
            if getattr(value, "shape", None) != shape:
                check_shape(value, shape)
            row[:] = value if is_flat else np.reshape(value, -1)

        return write_box
    if kind == "Discrete":
        start, n = int(getattr(space, "start", 0)), int(space.n)

        def write_discrete(row, value):
            check_shape(value, ())
            index = int(value) - start
            if not 0 <= index < n:
                raise WrongShape(f"{value} lies outside Discrete({n}, start {start})")
            row[:] = 0
            row[index] = 1

        return write_discrete
    if kind == "MultiDiscrete":
        return multi_discrete_writer(space)
    if kind == "MultiBinary":

        def write_bits(row, value):
            check_shape(value, tuple(space.shape))
            row[:] = np.reshape(value, -1)

        return write_bits
    if kind == "Text":
        numbers = character_numbers(space)

        def write_text(row, value):
            if len(value) > len(row):
                raise WrongShape(f"a text of {len(value)} characters, and the space has {len(row)}")
            row[:] = 0
            row[: len(value)] = [numbers[character] for character in value]

        return write_text
    return parts_writer(space, kind)


def multi_discrete_writer(space):
    nvec = np.ravel(space.nvec)
    starts = np.ravel(getattr(space, "start", np.zeros_like(nvec)))
    offsets = np.concatenate([[0], np.cumsum(nvec)[:-1]])

    def write(row, value):
        check_shape(value, tuple(space.shape))
        indices = np.reshape(value, -1).astype(np.int64) - starts
        if np.any(indices < 0) or np.any(indices >= nvec):
            raise WrongShape(f"{value} lies outside {space}")
        row[:] = 0
        row[offsets + indices] = 1

    return write


def parts_writer(space, kind):
    keys = [key for key, _ in dict_parts(space)] if kind == "Dict" else list(range(len(space.spaces)))
    writers, end = [], 0
    for key, part in zip(keys, parts_of(space)):
        begin, end = end, end + flat_size(part)
        writers.append((key, begin, end, observation_writer(part)))

    def write(row, value):
        if len(value) != len(writers):
            raise WrongShape(f"the space has the parts {keys}, and the observation {list(value)}")
        for key, begin, end, write_part in writers:
            write_part(row[begin:end], value[key])

    return write


def action_size(space):
    kind = kind_of(space)
    if kind == "Discrete":
        return 1
    if kind == "MultiDiscrete":
        return int(np.size(space.nvec))
    if kind in ("Box", "MultiBinary"):
        return int(np.prod(space.shape))
    if kind == "Text":
        raise UnsupportedSpace("Text cannot be an action here")
    return sum(action_size(part) for part in parts_of(space))


def is_continuous(space):
    kind = kind_of(space)
    return any(is_continuous(part) for part in parts_of(space)) if kind in ("Dict", "Tuple") else kind == "Box"


def action_reader(space):
    """A function from a flat row to an action, which the environment may keep."""
    kind = kind_of(space)
    if kind == "Discrete":
        start = int(getattr(space, "start", 0))
        return lambda row: int(row[0]) + start
    if kind == "Box":
        if not np.issubdtype(space.dtype, np.floating):
            raise UnsupportedSpace(f"actions in a Box of {space.dtype}: use MultiDiscrete")
        shape, dtype = tuple(space.shape), space.dtype
        return lambda row: np.array(row, dtype).reshape(shape)
    if kind == "MultiDiscrete":
        shape, dtype, starts = tuple(space.shape), space.dtype, np.ravel(getattr(space, "start", 0))
        return lambda row: (row + starts).astype(dtype).reshape(shape)
    if kind == "MultiBinary":
        shape = tuple(space.shape)
        return lambda row: row.astype(np.int8).reshape(shape)
    keys = [key for key, _ in dict_parts(space)] if kind == "Dict" else list(range(len(space.spaces)))
    readers, end = [], 0
    for key, part in zip(keys, parts_of(space)):
        begin, end = end, end + action_size(part)
        readers.append((key, begin, end, action_reader(part)))
    if kind == "Dict":
        return lambda row: {key: read(row[begin:end]) for key, begin, end, read in readers}
    return lambda row: tuple(read(row[begin:end]) for _, begin, end, read in readers)


def mask_sizes(space):
    """Elements of an action mask, by component; none where an action is not chosen among some."""
    kind = kind_of(space)
    if kind == "Discrete":
        return [int(space.n)]
    if kind == "MultiDiscrete":
        return [int(n) for n in np.ravel(space.nvec)]
    return []
