"""Trains one of the benchmark's networks on random samples with a peer library and prints one JSON line.

usage: networks.py keras|torch NETWORK --batch 32 --steps 100 [--threads 2]
The networks are those of scenarios/networks.ts. The first step is counted from the start of this script.
"""

import time

STARTED = time.perf_counter()

import argparse  # noqa: E402  the clock runs first
import json  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402

SAMPLES = 4096
SHAPES = {"cnn": (28, 28, 1), "mlp": (784,), "lstm": (100,), "resnet": (32, 32, 3), "transformer": (128,)}
CLASSES = {"cnn": 10, "mlp": 10, "lstm": 2, "resnet": 10, "transformer": 4}
WORDS = {"lstm": 10_000, "transformer": 5000}


def draw(network):
    generator = np.random.default_rng(1)
    shape = (SAMPLES, *SHAPES[network])
    words = WORDS.get(network)
    x = generator.random(shape, dtype="float32") if words is None else generator.integers(0, words, shape)
    return x, generator.integers(0, CLASSES[network], SAMPLES)


def keras_network(name):
    import keras
    from keras import layers

    def convolution(filters, strides, size=3):
        padding = "same" if size == 3 else "valid"
        return layers.Conv2D(filters, size, strides, padding=padding, use_bias=False)

    def block(x, filters, strides):
        inner = layers.ReLU()(layers.BatchNormalization()(convolution(filters, strides)(x)))
        y = layers.BatchNormalization()(convolution(filters, 1)(inner))
        same = strides == 1 and x.shape[-1] == filters
        return layers.ReLU()(layers.Add()([x if same else convolution(filters, strides, 1)(x), y]))

    def encoder(x):
        attended = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(4, 32)(x, x)]))
        inner = layers.Dense(128)(layers.Dense(256, activation="relu")(attended))
        return layers.LayerNormalization()(layers.Add()([attended, inner]))

    x = inputs = keras.Input(SHAPES[name], dtype="int32" if name in WORDS else "float32")
    if name == "cnn":
        x = layers.MaxPooling2D(2)(layers.Conv2D(32, 3, activation="relu")(x))
        x = layers.Dense(64, activation="relu")(layers.Flatten()(x))
    elif name == "mlp":
        x = layers.Dense(128, activation="relu")(layers.Dense(256, activation="relu")(x))
    elif name == "lstm":
        x = layers.LSTM(64)(layers.Embedding(WORDS[name], 64)(x))
    elif name == "resnet":
        x = layers.ReLU()(layers.BatchNormalization()(convolution(16, 1)(x)))
        for filters, strides in ((16, 1), (32, 2), (64, 2)):
            x = block(x, filters, strides)
        x = layers.GlobalAveragePooling2D()(x)
    else:
        x = layers.GlobalAveragePooling1D()(encoder(encoder(layers.Embedding(WORDS[name], 128)(x))))
    return keras.Model(inputs, layers.Dense(CLASSES[name], activation="softmax")(x))


def keras_fit(network, threads, batch):
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = keras_network(network)
    model.compile("adam", "sparse_categorical_crossentropy")
    x, y = draw(network)
    data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(SAMPLES, seed=1).repeat()
    data = data.batch(batch, drop_remainder=True).prefetch(2)
    return lambda steps: model.fit(data, steps_per_epoch=steps, verbose=0)


def torch_network(name):
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self, channels, filters, stride):
            super().__init__()
            self.inner = nn.Sequential(
                nn.Conv2d(channels, filters, 3, stride, 1, bias=False),
                nn.BatchNorm2d(filters),
                nn.ReLU(),
                nn.Conv2d(filters, filters, 3, 1, 1, bias=False),
                nn.BatchNorm2d(filters),
            )
            same = stride == 1 and channels == filters
            self.beside = nn.Identity() if same else nn.Conv2d(channels, filters, 1, stride, bias=False)

        def forward(self, x):
            return torch.relu(self.beside(x) + self.inner(x))

    class Lstm(nn.Module):
        def __init__(self):
            super().__init__()
            self.words = nn.Embedding(WORDS[name], 64)
            self.lstm = nn.LSTM(64, 64, batch_first=True)
            self.out = nn.Linear(64, CLASSES[name])

        def forward(self, x):
            return self.out(self.lstm(self.words(x))[1][0][-1])

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.words = nn.Embedding(WORDS[name], 128)
            layer = nn.TransformerEncoderLayer(128, 4, 256, 0.0, batch_first=True)
            self.encoders = nn.TransformerEncoder(layer, 2)
            self.out = nn.Linear(128, CLASSES[name])

        def forward(self, x):
            return self.out(self.encoders(self.words(x)).mean(1))

    if name == "lstm":
        return Lstm()
    if name == "transformer":
        return Transformer()
    if name == "mlp":
        return nn.Sequential(
            nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, CLASSES[name])
        )
    if name == "cnn":
        return nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(5408, 64), nn.ReLU(), nn.Linear(64, 10)
        )
    stem = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    blocks = [Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, CLASSES[name]))


def torch_fit(network, threads, batch):
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    model = torch_network(network)
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, eps=1e-7)
    x, y = draw(network)
    x = np.ascontiguousarray(np.moveaxis(x, -1, 1)) if x.ndim == 4 else x
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    order = torch.randperm(SAMPLES)

    def fit(steps):
        for step in range(steps):
            first = (step * batch) % (SAMPLES - batch + 1)
            rows = order[first : first + batch]
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()

    return fit


parser = argparse.ArgumentParser()
parser.add_argument("library", choices=("keras", "torch"))
parser.add_argument("network", choices=tuple(SHAPES))
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--steps", type=int, default=100)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()
os.environ.update(
    OMP_NUM_THREADS=str(options.threads),
    TF_NUM_INTRAOP_THREADS=str(options.threads),
    TF_CPP_MIN_LOG_LEVEL="3",
    KERAS_BACKEND="tensorflow",
    CUDA_VISIBLE_DEVICES="",
)
import numpy as np  # noqa: E402  after the thread settings, which it reads

make = {"keras": keras_fit, "torch": torch_fit}[options.library]
fit = make(options.network, options.threads, options.batch)
fit(1)
first_step = time.perf_counter() - STARTED
fit(10)
started = time.perf_counter()
fit(options.steps)
seconds = time.perf_counter() - started
print(json.dumps({
    "samplesPerSecond": options.steps * options.batch / seconds,
    "secondsToFirstStep": first_step,
    "peakRssMB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
