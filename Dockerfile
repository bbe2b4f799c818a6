# sos-spark with Spark, Delta and Java, from the same locks as a checkout.
#
#   docker build -t sos-spark .
#   docker run --rm -v "$PWD/work:/work" sos-spark run --study /work/mine.toml --source /work/returns --lake /work/lake --out /work/results
FROM python:3.11-slim-bookworm AS environment
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make openjdk-17-jre-headless \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/sos_spark
COPY pyproject.toml README.md LICENSE Makefile ./
COPY tools ./tools
COPY conf ./conf
COPY expectations ./expectations
COPY jobs ./jobs
COPY sos_spark ./sos_spark
RUN make setup
ENV PATH="/opt/sos_spark/.venv/bin:${PATH}"
# Records are read by nobody but the user who runs the container.
RUN useradd --create-home --uid 10001 analyst && mkdir /work && chown analyst /work && chmod 700 /work
USER 10001
WORKDIR /work
ENTRYPOINT ["sos-spark"]
CMD ["--help"]
