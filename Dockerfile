# Replay Coach without a screen: training, recording, evaluating. See docs/installing.md.
FROM python:3.12-slim

# The folders by name, so that what is not listed never enters the image.
WORKDIR /source
COPY setup.cfg pyproject.toml README.md LICENSE coach.py replay_coach.py ./
COPY agent agent
COPY commands commands
COPY curator curator
COPY data data
COPY home home
COPY recorder recorder
COPY replay_coach-stubs replay_coach-stubs
COPY screen screen
RUN pip install --no-cache-dir .

# Whoever runs it with --user needs a home to write to.
ENV HOME=/tmp SDL_AUDIODRIVER=dummy PYTHONUNBUFFERED=1
VOLUME /library
WORKDIR /
ENTRYPOINT ["coach"]
CMD ["tour"]
