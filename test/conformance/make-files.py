"""Slides written by other programs (tifffile, libtiff, libvips, zarr-python), and what must be read from them.

Usage: make-files.py OUT. Writes OUT/manifest.json: for each file its name, format, channel names, pixel size, sizes
of the levels, the options to open it with, and the file of expected values (float64, channel by channel).
"""
import json
import os
import struct
import subprocess
import sys

import numpy as np
import tifffile

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
rng = np.random.default_rng(7)
manifest = []
WIDTH, HEIGHT = 203, 150  # no multiple of any tile edge


def image(dtype, channels=2, width=WIDTH, height=HEIGHT):
    """Smooth structure, noise, and both ends of the type's range."""
    y, x = np.mgrid[0:height, 0:width]
    planes = np.stack([np.sin(x / (9 + 3 * c)) * np.cos(y / 13) for c in range(channels)])
    planes += rng.normal(0, 0.05, planes.shape)
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        planes = (planes * 1e3).astype(dtype)
        planes[0, 0, 0] = np.nan
        return planes
    info = np.iinfo(dtype)
    scaled = (planes - planes.min()) / (planes.max() - planes.min()) * (float(info.max) - info.min) + info.min
    planes = np.clip(np.floor(scaled), info.min, info.max).astype(dtype)
    planes[0, 0, 0], planes[0, 0, 1] = info.min, info.max
    return planes


def expect(name, planes, fmt, names=None, um=None, levels=None, plane=None, tolerance=0):
    planes = np.ascontiguousarray(planes)
    values = f"{len(manifest)}.values"
    planes.astype("<f8").tofile(os.path.join(out, values))
    manifest.append({
        "name": name, "format": fmt, "values": values, "sampleType": str(planes.dtype),
        "channels": planes.shape[0], "height": planes.shape[1], "width": planes.shape[2],
        "names": names or [f"channel {c}" for c in range(planes.shape[0])],
        "pixelSizeUm": um, "plane": plane, "tolerance": tolerance,
        "levels": levels or [[planes.shape[2], planes.shape[1]]],
    })


def path(name):
    return os.path.join(out, name)


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# Every sample type in both byte orders, classic and big, as one uncompressed page a channel.
plain = {}
for dtype in ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"]:
    plain[dtype] = image(dtype)
    for order, big in [("<", False), (">", True)]:
        name = f"plain-{dtype}-{'le' if order == '<' else 'be-big'}.tif"
        tifffile.imwrite(path(name), plain[dtype], byteorder=order, bigtiff=big, photometric="minisblack", metadata=None)
        expect(name, plain[dtype], "TIFF")

# libtiff's encoders: compression, predictor, tiles or strips, byte order.
for dtype, codec in [
    ("uint8", "lzw"), ("uint8", "lzw:2"), ("uint16", "lzw:2"), ("int16", "lzw:2"), ("float32", "lzw:3"), ("uint32", "lzw:2"),
    ("uint8", "zip"), ("uint16", "zip:2"), ("int32", "zip:2"), ("float32", "zip:2"), ("float32", "zip:3"), ("float64", "zip:3"),
    ("uint8", "packbits"), ("int16", "packbits"), ("float32", "packbits"), ("uint16", "zstd"), ("float32", "zstd:3"), ("uint16", "zstd:2"),
]:
    for layout, options in [
        ("tiles-be", ["-t", "-w", "64", "-l", "48", "-B"]),
        ("strips", ["-s", "-r", "7", "-L"]),
        ("one-strip-big", ["-s", "-r", "100000", "-8", "-B"]),
    ]:
        if codec.endswith(":3") and "-B" in options:
            continue  # libtiff 4.5 writes these wrongly, and reads its own back as garbage
        name = f"{dtype}-{codec.replace(':', '-p')}-{layout}.tif"
        run("tiffcp", *options, "-c", codec, path(f"plain-{dtype}-le.tif"), path(name))
        expect(name, plain[dtype], "TIFF")



def replace_tag(content, tag, new_tag, value):
    """Turns a short tag of the first directory of a classic TIFF into another one."""
    order = "<" if content[:2] == b"II" else ">"
    first = struct.unpack(order + "I", content[4:8])[0]
    for i in range(struct.unpack(order + "H", content[first:first + 2])[0]):
        at = first + 2 + i * 12
        if struct.unpack(order + "H", content[at:at + 2])[0] == tag:
            content[at:at + 2] = struct.pack(order + "H", new_tag)
            content[at + 8:at + 10] = struct.pack(order + "H", value)


# The floating-point predictor in both byte orders, encoded here after Adobe's note: its bytes are the same in both.
for order in "<>":
    plane = plain["float32"][0]
    shuffled = np.frombuffer(plane.astype(">f4").tobytes(), "u1").reshape(HEIGHT, WIDTH, 4).transpose(0, 2, 1).reshape(HEIGHT, WIDTH * 4)
    coded = np.diff(shuffled, axis=1, prepend=np.uint8(0)).astype("u1")
    name = f"float-predictor-{'le' if order == '<' else 'be'}.tif"
    tifffile.imwrite(path(name), coded.reshape(-1).view(order + "f4").reshape(HEIGHT, WIDTH), byteorder=order,
                     compression="zlib", rowsperstrip=11, metadata=None, software=False)
    with open(path(name), "rb") as file:
        content = bytearray(file.read())
    replace_tag(content, 296, 317, 3)  # the resolution unit gives way to the predictor
    with open(path(name), "wb") as file:
        file.write(content)
    expect(name, plane[None], "TIFF")

# Colour images: samples side by side, or one plane each.
rgb = image("uint8", 3)
rgb16 = image("uint16", 3)
tifffile.imwrite(path("rgb.tif"), np.moveaxis(rgb, 0, -1), photometric="rgb", metadata=None)
tifffile.imwrite(path("rgb16.tif"), np.moveaxis(rgb16, 0, -1), photometric="rgb", metadata=None)
colours = ["red", "green", "blue"]
expect("rgb.tif", rgb, "TIFF", colours)
for codec in ["none", "lzw:2", "zip:2"]:
    for arrangement in ["contig", "separate"]:
        name = f"rgb-{codec.replace(':', '-p')}-{arrangement}.tif"
        run("tiffcp", "-p", arrangement, "-t", "-w", "64", "-l", "64", "-c", codec, path("rgb.tif"), path(name))
        expect(name, rgb, "TIFF", colours)
    name = f"rgb16-{codec.replace(':', '-p')}.tif"
    run("tiffcp", "-t", "-w", "64", "-l", "64", "-B", "-c", codec, path("rgb16.tif"), path(name))
    expect(name, rgb16, "TIFF", colours)
for codec in [None, "zlib"]:
    name = f"rgb16-{codec}-separate.tif"
    tifffile.imwrite(path(name), rgb16, photometric="rgb", planarconfig="separate", tile=(64, 64), compression=codec, metadata=None)
    expect(name, rgb16, "TIFF", colours)

# Uncompressed tiles above 1 MB are read in pieces, which do not divide a tile of rows of 3072 bytes.
for height in (512, 400):
    large = image("uint16", 3, 512, height)
    name = f"rgb16-tile-over-{height}.tif"
    tifffile.imwrite(path(name), np.moveaxis(large, 0, -1), photometric="rgb", tile=(512, 512), metadata=None)
    expect(name, large, "TIFF", colours)

# JPEG: stored as YCbCr and as RGB, in tiles with shared tables. libtiff's own decoder says what is in them.
smooth = np.stack([np.round(127 + 100 * np.sin(np.mgrid[0:HEIGHT, 0:WIDTH][i % 2] / 17 + i)) for i in range(3)]).astype("uint8")
tifffile.imwrite(path("smooth.tif"), np.moveaxis(smooth, 0, -1), photometric="rgb", metadata=None)
tifffile.imwrite(path("smooth-grey.tif"), smooth[0], metadata=None)
for codec, source in [("jpeg:90", "smooth"), ("jpeg:r:90", "smooth"), ("jpeg:90", "smooth-grey")]:
    for layout, options in [("tiles", ["-t", "-w", "64", "-l", "64"]), ("strips", ["-s", "-r", "16"])]:
        name = f"{source}-{codec.replace(':', '-')}-{layout}.tif"
        run("tiffcp", *options, "-c", codec, path(f"{source}.tif"), path(name))
        run("tiffcp", "-c", "none", path(name), path("decoded.tif"))
        decoded = tifffile.imread(path("decoded.tif"))
        planes = np.moveaxis(decoded, -1, 0) if decoded.ndim == 3 else decoded[None]
        # Decoders differ by rounding of colours and of their cosine transform.
        expect(name, planes, "TIFF", colours if len(planes) == 3 else None, tolerance=2)

# Pyramids by libvips: levels as further pages, and as SubIFDs.
big = image("uint16", 1, 700, 500)
tifffile.imwrite(path("big.tif"), big[0], metadata=None)
for name, options in [("vips-pages", []), ("vips-subifd", ["--subifd"])]:
    for codec in ["none", "deflate", "lzw", "zstd"]:
        file = f"{name}-{codec}.tif"
        run("vips", "tiffsave", path("big.tif"), path(file), "--tile", "--pyramid", "--compression", codec,
            "--xres", "2000", "--yres", "2000", *options)
        expect(file, big, "TIFF", um=0.5, levels=[[700, 500], [350, 250], [175, 125], [87, 62]])

# An Aperio slide: baseline, thumbnail in strips, levels in tiles, label and macro.
aperio = image("uint8", 3, 512, 384)
with tifffile.TiffWriter(path("aperio.svs")) as tif:
    def page(planes, **how):
        tif.write(np.moveaxis(planes, 0, -1), photometric="rgb", metadata=None, **how)
    about = "Aperio Image Library v11.2.1 \r\n512x384 |AppMag = 20|MPP = 0.4990|Filename = 1"
    page(aperio, tile=(128, 128), description=about)
    page(aperio[:, ::4, ::4], rowsperstrip=16, description=about)
    page(aperio[:, ::2, ::2], tile=(128, 128), description=about)
    page(aperio[:, ::8, ::8], tile=(128, 128), description=about)
    page(aperio[:, :80, :90], rowsperstrip=16, description="Aperio label 90x80", subfiletype=1)
    page(aperio[:, :60, :130], rowsperstrip=16, description="Aperio macro 130x60", subfiletype=9)
expect("aperio.svs", aperio, "Aperio SVS", colours, um=0.499, levels=[[512, 384], [256, 192], [64, 48]])

# OME-TIFF by tifffile: dimension orders, a stack of which one plane is chosen, a pyramid, a colour image.
for axes, shape in [("CZYX", (2, 3)), ("ZCYX", (3, 2)), ("TCYX", (4, 2)), ("CTYX", (2, 4))]:
    stack = rng.integers(0, 4000, (*shape, HEIGHT, WIDTH)).astype("uint16")
    name = f"ome-{axes.lower()}.ome.tif"
    tifffile.imwrite(path(name), stack, photometric="minisblack", metadata={
        "axes": axes, "Channel": {"Name": ["DAPI", "CD31"]}, "PhysicalSizeX": 250, "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 250, "PhysicalSizeYUnit": "nm"})
    moving = "z" if "Z" in axes else "t"
    chosen = stack[:, 2] if axes[0] == "C" else stack[2]
    expect(name, chosen, "OME-TIFF", ["DAPI", "CD31"], um=0.25, plane={moving: 2})
pyramid = image("float32", 2, 600, 400)
with tifffile.TiffWriter(path("pyramid.ome.tif"), bigtiff=True) as tif:
    how = {"tile": (128, 128), "compression": "zlib", "photometric": "minisblack"}
    tif.write(pyramid, subifds=2, metadata={"axes": "CYX", "Channel": {"Name": ["a", "a"]}}, **how)
    for step in (2, 4):
        tif.write(pyramid[:, ::step, ::step], subfiletype=1, **how)
expect("pyramid.ome.tif", pyramid, "OME-TIFF", ["a", "a (2)"], levels=[[600, 400], [300, 200], [150, 100]])
tifffile.imwrite(path("colour.ome.tif"), np.moveaxis(rgb, 0, -1), photometric="rgb", metadata={"axes": "YXS"})
expect("colour.ome.tif", rgb, "OME-TIFF", colours)

# ImageJ hyperstacks: channels, focal planes, time points; labels; a stack above 4 GB has a single directory.
hyper = rng.integers(0, 60000, (2, 3, 2, HEIGHT, WIDTH)).astype("uint16")
tifffile.imwrite(path("hyperstack.tif"), hyper, imagej=True, resolution=(1 / 0.325, 1 / 0.325), metadata={
    "axes": "TZCYX", "unit": "um", "Labels": [f"c:{c + 1}/2 z:{z + 1}/3 - {['DAPI', 'CD31'][c]}" for t in range(2) for z in range(3) for c in range(2)]})
expect("hyperstack.tif", hyper[1, 2], "ImageJ TIFF", ["DAPI", "CD31"], um=0.325, plane={"z": 2, "t": 1})
with open(path("hyperstack.tif"), "rb") as file:
    content = bytearray(file.read())
first = struct.unpack("<I" if content[:2] == b"II" else ">I", content[4:8])[0]
order = "<" if content[:2] == b"II" else ">"
entries = struct.unpack(order + "H", content[first:first + 2])[0]
at = first + 2 + entries * 12
content[at:at + 4] = b"\0\0\0\0"  # the chain ends after the first page, as ImageJ writes large stacks
with open(path("single-directory.tif"), "wb") as file:
    file.write(content)
expect("single-directory.tif", hyper[1, 2], "ImageJ TIFF", ["DAPI", "CD31"], um=0.325, plane={"z": 2, "t": 1})

# OME-Zarr 0.4 (Zarr v2) by zarr-python: compressors, memory order, byte order, separators, channels within a chunk.
import numcodecs
import zarr


def ome_attributes(group, axes, levels, step, version="0.4"):
    group.attrs["multiscales"] = [{
        "version": version,
        "axes": [{"name": a, **({"type": "space", "unit": "micrometer"} if a in "zyx" else {"type": "channel" if a == "c" else "time"})} for a in axes],
        "datasets": [{"path": str(i), "coordinateTransformations": [{"type": "scale", "scale": [
            step * 2 ** i if a in "yx" else 1.0 for a in axes]}]} for i in range(levels)]}]
    group.attrs["omero"] = {"channels": [{"label": "DAPI", "color": "0000FF"}, {"label": "CD31", "color": "00FF00"}]}


compressors = {
    "raw": None, "zlib": numcodecs.Zlib(3), "gzip": numcodecs.GZip(3), "zstd": numcodecs.Zstd(3), "lz4": numcodecs.LZ4(),
    "blosc-lz4": numcodecs.Blosc("lz4", 5, 1), "blosc-zstd": numcodecs.Blosc("zstd", 3, 2), "blosc-zlib": numcodecs.Blosc("zlib", 3, 0),
    "blosclz": numcodecs.Blosc("blosclz", 9, 1), "blosclz-bits": numcodecs.Blosc("blosclz", 9, 2), "blosc-lz4hc": numcodecs.Blosc("lz4hc", 9, 0, 4096),
    "blosc-odd": numcodecs.Blosc("lz4", 5, 2),
}
for (compressor, codec), (dtype, order, separator, chunk) in zip(compressors.items(), [
    ("<u2", "C", "/", (1, 1, 64, 64)), (">u2", "F", ".", (1, 2, 64, 48)), ("<f4", "C", "/", (1, 2, 50, 203)), (">f4", "F", "/", (2, 1, 64, 64)),
    ("|u1", "C", "/", (1, 1, 150, 203)), ("<i2", "F", ".", (1, 1, 200, 300)), ("<f8", "C", "/", (1, 1, 64, 64)), (">i4", "C", "/", (1, 1, 31, 57)),
    ("<i2", "C", "/", (1, 2, 150, 203)), ("<u4", "C", "/", (1, 2, 150, 203)), ("|u1", "C", "/", (2, 2, 150, 203)), ("<u2", "C", "/", (1, 1, 33, 57)),
]):
    stack = np.stack([image(dtype.replace(">", "<")), image(dtype.replace(">", "<"))]).astype(dtype)
    name = f"v2-{compressor}.ome.zarr"
    group = zarr.open_group(zarr.DirectoryStore(path(name)), "w")
    for level in range(2):
        group.create_dataset(str(level), data=stack[:, :, ::2 ** level, ::2 ** level], chunks=chunk, compressor=codec, order=order,
                             dimension_separator=separator, fill_value=0)
    ome_attributes(group, "tcyx", 2, 0.5)
    expect(name, stack[1].astype(np.dtype(dtype).newbyteorder("=")), "OME-Zarr 0.4", ["DAPI", "CD31"], um=0.5, plane={"t": 1}, levels=[[203, 150], [102, 75]])

# OME-Zarr 0.5 (Zarr v3), put together by hand after the specification: zarr-python of Debian knows only v2.
castagnoli = [0] * 256
for i in range(256):
    value = i
    for _ in range(8):
        value = (value >> 1) ^ 0x82F63B78 if value & 1 else value >> 1
    castagnoli[i] = value


def crc32c(data):
    total = 0xFFFFFFFF
    for byte in data:
        total = (total >> 8) ^ castagnoli[(total ^ byte) & 255]
    return struct.pack("<I", total ^ 0xFFFFFFFF)


encoders = {
    "gzip": (numcodecs.GZip(3).encode, {"name": "gzip", "configuration": {"level": 3}}),
    "zstd": (numcodecs.Zstd(3).encode, {"name": "zstd", "configuration": {"level": 3, "checksum": False}}),
    "blosc": (numcodecs.Blosc("zstd", 3, 1).encode, {"name": "blosc", "configuration": {"cname": "zstd", "clevel": 3, "shuffle": "shuffle", "typesize": 4, "blocksize": 0}}),
    "crc32c": (lambda data: bytes(data) + crc32c(bytes(data)), {"name": "crc32c"}),
}


def write_json(file, content):
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file, "w") as stream:
        json.dump(content, stream)


def chunks_of(planes, chunk, fill):
    """Coordinates and padded content of all chunks."""
    counts = [-(-size // edge) for size, edge in zip(planes.shape, chunk)]
    for at in np.ndindex(*counts):
        part = planes[tuple(slice(i * edge, (i + 1) * edge) for i, edge in zip(at, chunk))]
        full = np.full(chunk, fill, planes.dtype)
        full[tuple(slice(0, size) for size in part.shape)] = part
        yield at, full


def write_v3(name, planes, chunk, codecs, transpose=None, big_endian=False, shard=None, index_location="end", fill=0, key="default"):
    chain = []
    if transpose:
        chain.append({"name": "transpose", "configuration": {"order": transpose}})
    chain.append({"name": "bytes", "configuration": {"endian": "big" if big_endian else "little"}})
    chain += [encoders[codec][1] for codec in codecs]

    def encode(block):
        block = np.ascontiguousarray(block.transpose(transpose) if transpose else block)
        data = block.astype(block.dtype.newbyteorder(">" if big_endian else "<")).tobytes()
        for codec in codecs:
            data = bytes(encoders[codec][0](data))
        return data

    top = chain
    if shard:
        top = [{"name": "sharding_indexed", "configuration": {
            "chunk_shape": list(chunk), "codecs": chain, "index_location": index_location,
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]}}]
    write_json(path(f"{name}/zarr.json"), {"zarr_format": 3, "node_type": "group", "attributes": {"ome": {
        "version": "0.5", "multiscales": [{
            "axes": [{"name": "c", "type": "channel"}, {"name": "y", "type": "space", "unit": "micrometer"}, {"name": "x", "type": "space", "unit": "micrometer"}],
            "coordinateTransformations": [{"type": "scale", "scale": [1, 2, 2]}],
            "datasets": [{"path": "s0", "coordinateTransformations": [{"type": "scale", "scale": [1, 0.25, 0.25]}]}]}],
        "omero": {"channels": [{"label": "DAPI", "color": "0000FF"}, {"label": "CD31", "color": "00FF00"}]}}}})
    write_json(path(f"{name}/s0/zarr.json"), {
        "zarr_format": 3, "node_type": "array", "shape": list(planes.shape), "data_type": str(planes.dtype), "attributes": {},
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(shard or chunk)}},
        "chunk_key_encoding": {"name": key, "configuration": {"separator": "/" if key == "default" else "."}},
        "fill_value": "NaN" if fill != fill else fill, "codecs": top})
    for at, block in chunks_of(planes, shard or chunk, fill):
        key_name = "c/" + "/".join(map(str, at)) if key == "default" else ".".join(map(str, at))
        file = path(f"{name}/s0/{key_name}")
        os.makedirs(os.path.dirname(file), exist_ok=True)
        if np.array_equal(block, np.full(block.shape, fill, block.dtype), equal_nan=planes.dtype.kind == "f"):
            continue
        if not shard:
            content = encode(block)
        else:
            parts, index = b"", b""
            size = 16 * int(np.prod([s // c for s, c in zip(shard, chunk)])) + 4
            start = size if index_location == "start" else 0
            for _, inner in chunks_of(block, chunk, fill):
                if np.array_equal(inner, np.full(inner.shape, fill, inner.dtype), equal_nan=planes.dtype.kind == "f"):
                    index += struct.pack("<QQ", 2 ** 64 - 1, 2 ** 64 - 1)
                    continue
                data = encode(inner)
                index += struct.pack("<QQ", start + len(parts), len(data))
                parts += data
            index += crc32c(index)
            content = parts + index if index_location == "end" else index + parts
        with open(file, "wb") as stream:
            stream.write(content)
    expect(name, planes, "OME-Zarr 0.5", ["DAPI", "CD31"], um=0.5)


holes = image("uint16")
holes[:, 64:, 64:128] = 0
write_v3("v3-raw.ome.zarr", image("uint16"), (1, 64, 64), [])
write_v3("v3-gzip-big-endian.ome.zarr", image("uint16"), (2, 64, 64), ["gzip"], big_endian=True)
write_v3("v3-zstd-crc.ome.zarr", image("float32"), (1, 64, 64), ["zstd", "crc32c"])
write_v3("v3-blosc-transposed.ome.zarr", image("float32"), (2, 50, 40), ["blosc"], transpose=[2, 0, 1])
write_v3("v3-v2-keys.ome.zarr", image("int16"), (1, 64, 64), ["zstd"], key="v2")
write_v3("v3-sharded.ome.zarr", holes, (1, 32, 32), ["zstd"], shard=(1, 64, 96))
write_v3("v3-sharded-start.ome.zarr", holes, (1, 16, 16), ["gzip", "crc32c"], shard=(2, 64, 64), index_location="start")
nan = image("float32")
nan[:, 64:, 64:128] = np.nan
write_v3("v3-nan-fill.ome.zarr", nan, (1, 32, 32), ["zstd"], fill=float("nan"))

# Pictures.
for name, planes in [("grey.png", rgb[:1]), ("rgb.png", rgb), ("grey16.png", rgb16[:1]), ("rgb16.png", rgb16)]:
    pixels = np.moveaxis(planes, 0, -1)
    tifffile.imwrite(path("picture.tif"), pixels if len(planes) == 3 else planes[0], photometric="rgb" if len(planes) == 3 else "minisblack", metadata=None)
    run("vips", "pngsave", path("picture.tif"), path(name))
    expect(name, planes, "PNG", colours if len(planes) == 3 else None)
run("vips", "jpegsave", path("smooth.tif"), path("smooth.jpg"), "--Q", "90")
run("vips", "tiffsave", path("smooth.jpg"), path("decoded.tif"))
expect("smooth.jpg", np.moveaxis(tifffile.imread(path("decoded.tif")), -1, 0), "JPEG", colours, tolerance=2)

with open(path("manifest.json"), "w") as file:
    json.dump(manifest, file)
