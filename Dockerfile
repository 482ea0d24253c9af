# The pipeline in an image, for the CPU; with CUDA's libraries: docker build --build-arg KIND=gpu .
# docs/this-machine.md says how it is used, and that it has not been built by its authors.
FROM python:3.13-slim-bookworm

# run: the CPU; gpu: NVIDIA's libraries, too (9 GB). scripts/setup.sh knows no other.
ARG KIND=run

# Debian's point releases change these; their exact versions would break the build in a month.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends git make \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --create-home --uid 1000 app \
  && install --directory --owner 1000 /home/app/pipeline /home/app/detection-pipeline-remote

USER 1000
WORKDIR /home/app/pipeline

# First the packages alone: they stay in their layer while the code changes.
COPY --chown=1000 requirements*.txt ./
COPY --chown=1000 scripts scripts
RUN scripts/setup.sh "$KIND" && rm -rf /home/app/.cache

COPY --chown=1000 . .
# The same again, which now sees that all of it starts, and compiles what is imported.
RUN rm .venv/.installed && scripts/setup.sh "$KIND" && rm -rf /home/app/.cache

# What NVIDIA's container runtime passes on, where there is one.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
CMD ["make", "run"]
