# syntax=docker/dockerfile:1
# Debian 13: its SQLite (3.46) has unixepoch('subsec'), which the job engine needs on Python >= 3.12.
FROM python:3.13-slim-trixie AS build
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/forestage \
    && /opt/forestage/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE alembic.ini ./
COPY app app
COPY connectors connectors
COPY rules rules
COPY migrations migrations
RUN /opt/build/bin/hatchling build -t wheel -d /dist \
    && /opt/forestage/bin/pip install --no-cache-dir --no-deps --no-index /dist/*.whl \
    && /opt/forestage/bin/pip uninstall --yes pip

FROM python:3.13-slim-trixie
RUN useradd --system --uid 10001 --home-dir /data forestage && install -d -o forestage -g forestage -m 0700 /data
COPY --from=build /opt/forestage /opt/forestage
ENV PATH=/opt/forestage/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FORESTAGE_DATA_DIR=/data \
    FORESTAGE_SERVER_ALLOW_REMOTE=true
USER forestage
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["forestage"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
