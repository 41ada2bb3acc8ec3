# The web side: the interface, migrations, keys. It carries no torch; what computes is in Dockerfile.gpu.
#
#   docker build --tag eigenwarp-web:0.1.0 .
#
# docs/operations.md, "Images". tests/deploy runs the installs and the entry command below in a clean environment.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/eigenwarp
WORKDIR /src
# The lock first: its layer is built again only when the lock file changes. Wheels only, so that no compiler is needed.
COPY requirements-service.lock ./
RUN /opt/eigenwarp/bin/python -m pip install --no-deps --only-binary :all: --requirement requirements-service.lock
COPY pyproject.toml README.md LICENSE ./
COPY bridge/ bridge/
COPY eigenwarp/ eigenwarp/
COPY eigenwarp_cli/ eigenwarp_cli/
COPY service/ service/
COPY training/ training/
COPY worker/ worker/
# Nothing is installed into a running container, so what installs stays behind.
RUN /opt/eigenwarp/bin/python -m pip install --no-deps --no-build-isolation . \
    && /opt/eigenwarp/bin/python -m pip uninstall --yes setuptools pip

FROM python:3.11.14-slim-bookworm
RUN groupadd --system --gid 10001 eigenwarp \
    && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/eigenwarp --shell /usr/sbin/nologin eigenwarp \
    && install --directory --owner 10001 --group 10001 --mode 0750 /var/lib/eigenwarp
COPY --from=build /opt/eigenwarp /opt/eigenwarp
ENV PATH=/opt/eigenwarp/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    EIGENWARP_HOME=/var/lib/eigenwarp \
    EIGENWARP_HOST=0.0.0.0 \
    EIGENWARP_PORT=8000
WORKDIR /var/lib/eigenwarp
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["eigenwarp"]
CMD ["serve"]
