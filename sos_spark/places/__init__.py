"""Places of files and folders: a path of this machine, or a URI of a file system that machines share.

A local place is a `pathlib.Path` itself, so nothing stands between. A `RemotePlace` has the same few operations by the
same names; what the two do differently (modes, whole writes, who may be at work) stands in `files`.
"""

from sos_spark.places.files import (
    has_modes,
    local_of,
    make_files_private,
    make_folder,
    make_private,
    make_private_below,
    mode_of,
    move_file,
    n_bytes_of,
    open_new,
    open_whole,
    readable,
    remove_tree,
    require_local,
    sizes_in,
    write_folder,
    write_new,
    write_whole,
)
from sos_spark.places.here import here
from sos_spark.places.remote import Place, RemotePlace
from sos_spark.places.uris import SCHEMES, is_same, is_within, place_of, require_plain, within

__all__ = [
    "SCHEMES",
    "Place",
    "RemotePlace",
    "has_modes",
    "here",
    "is_same",
    "is_within",
    "local_of",
    "make_files_private",
    "make_folder",
    "make_private",
    "make_private_below",
    "mode_of",
    "move_file",
    "n_bytes_of",
    "open_new",
    "open_whole",
    "place_of",
    "readable",
    "remove_tree",
    "require_local",
    "require_plain",
    "sizes_in",
    "within",
    "write_folder",
    "write_new",
    "write_whole",
]
