"""Places of files and folders: a path of this machine, or a URI of a file system that machines share.

A local place is a `pathlib.Path` itself, so nothing stands between. A `RemotePlace` has the same few operations by the
same names; what the two do differently (modes, whole writes, who may be at work) stands in `files`.
"""

from sos_spark.places.files import (
    local_of,
    make_folder,
    make_private,
    n_bytes_of,
    open_whole,
    remove_tree,
    require_local,
    write_new,
    write_whole,
)
from sos_spark.places.remote import Place, RemotePlace
from sos_spark.places.uris import SCHEMES, place_of, within

__all__ = [
    "SCHEMES",
    "Place",
    "RemotePlace",
    "local_of",
    "make_folder",
    "make_private",
    "n_bytes_of",
    "open_whole",
    "place_of",
    "remove_tree",
    "require_local",
    "within",
    "write_new",
    "write_whole",
]
