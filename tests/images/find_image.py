"""What the finder gives for an annotation, in short."""

from tasks.images.image_finder import ImageFinder


def find_image(root, annotation, written, *more_places):
    path, problem = ImageFinder([root, *more_places]).find(root / annotation, written)
    return path and path.relative_to(root).as_posix(), problem and problem.kind
