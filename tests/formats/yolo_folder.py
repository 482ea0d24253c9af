"""Folders of YOLO labels."""


def make(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def labelled(tmp_path, rows, names="cat\ndog\n"):
    return make(tmp_path / "data", {"classes.txt": names, "labels/a.txt": rows})
