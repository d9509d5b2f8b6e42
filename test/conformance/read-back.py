"""Reads a slide that we wrote with other software and says what is in it.

Usage: read-back.py SLIDE OUT. Prints JSON; writes the values of level N as OUT/N.values (float64, channel by channel).
OME-TIFF is read by tifffile; OME-Zarr by zarr-python 3 where there is one, else by hand after the Zarr v3
specification, with the decoders of numcodecs.
"""
import json
import os
import sys

import numpy as np

path, out = sys.argv[1], sys.argv[2]


def save(level, planes):
    planes.astype("<f8").tofile(os.path.join(out, f"{level}.values"))
    return list(planes.shape)


def read_v3(folder):
    import numcodecs

    with open(os.path.join(folder, "zarr.json")) as file:
        about = json.load(file)
    dtype = np.dtype(about["data_type"])
    chunk = about["chunk_grid"]["configuration"]["chunk_shape"]
    planes = np.full(about["shape"], about["fill_value"], dtype)
    decoders = {"zstd": numcodecs.Zstd().decode, "gzip": numcodecs.GZip().decode}
    assert about["codecs"][0]["name"] == "bytes" and about["chunk_key_encoding"]["name"] == "default"
    for at in np.ndindex(*[-(-size // edge) for size, edge in zip(about["shape"], chunk)]):
        with open(os.path.join(folder, "c", *map(str, at)), "rb") as file:
            data = file.read()
        for codec in reversed(about["codecs"][1:]):
            data = decoders[codec["name"]](data)
        block = np.frombuffer(data, dtype.newbyteorder("<")).reshape(chunk)
        place = tuple(slice(i * edge, (i + 1) * edge) for i, edge in zip(at, chunk))
        target = planes[place]
        target[...] = block[tuple(slice(0, size) for size in target.shape)]
    return planes


if path.endswith(".zarr"):
    import zarr

    with open(os.path.join(path, "zarr.json")) as file:
        group = json.load(file)
    image = group["attributes"]["ome"]["multiscales"][0]
    levels = []
    for level, dataset in enumerate(image["datasets"]):
        folder = os.path.join(path, dataset["path"])
        planes = zarr.open(folder)[:] if int(zarr.__version__.split(".")[0]) >= 3 else read_v3(folder)
        levels.append(save(level, planes))
        dtype = str(planes.dtype)
    steps = [dataset["coordinateTransformations"][0]["scale"] for dataset in image["datasets"]]
    print(json.dumps({
        "levels": levels, "dtype": dtype, "names": [c["label"] for c in group["attributes"]["ome"]["omero"]["channels"]],
        "pixelSizeUm": steps[0][1], "annotations": group["attributes"]["hrpn"]}))
else:
    import xml.etree.ElementTree as ElementTree

    import tifffile

    with tifffile.TiffFile(path) as tif:
        assert tif.is_ome and len(tif.series) == 1 and tif.series[0].axes in ("CYX", "YX")
        levels = []
        for level, series in enumerate(tif.series[0].levels):
            planes = series.asarray()
            levels.append(save(level, planes if planes.ndim == 3 else planes[None]))
        ome = ElementTree.fromstring(tif.ome_metadata)
        space = {"o": "http://www.openmicroscopy.org/Schemas/OME/2016-06"}
        pixels = ome.find(".//o:Pixels", space)
        print(json.dumps({
            "levels": levels, "dtype": str(planes.dtype), "names": [c.get("Name") for c in pixels.findall("o:Channel", space)],
            "pixelSizeUm": float(pixels.get("PhysicalSizeX")), "isBig": tif.is_bigtiff,
            "annotations": {m.get("K"): m.text for m in ome.findall(".//o:M", space)}}))
