"""Trains the first lesson's network with a peer library and prints one JSON line.

usage: train.py keras|torch --data DIR --seed N --epochs N [--threads 2]
Times whole epochs over all images, shuffled, batch 32; data loading and library start are outside of the time, the
first step's compilation inside a warm-up epoch of 30 batches.
"""

import argparse
import gzip
import json
import os
import resource
import time
from pathlib import Path

BATCH = 32


def read(path):
    raw = gzip.open(path).read()
    rank = raw[3]
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def load(folder, part):
    images = read(folder / f"{part}-images-idx3-ubyte.gz").astype("float32") / 255
    return images, read(folder / f"{part}-labels-idx1-ubyte.gz").astype("int64")


def train_keras(train, test, options):
    import keras
    import tensorflow as tf
    from keras import layers

    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(options.seed)
    model = keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    (x, y), (xt, yt) = ((images[..., None], labels) for images, labels in (train, test))
    initial = model.get_weights()
    model.fit(x[: 30 * BATCH], y[: 30 * BATCH], batch_size=BATCH, verbose=0)
    model.set_weights(initial)
    for variable in model.optimizer.variables[2:]:
        variable.assign(keras.ops.zeros_like(variable))
    model.optimizer.iterations.assign(0)
    for _ in range(options.epochs):
        start = time.perf_counter()
        model.fit(x, y, batch_size=BATCH, verbose=0)
        seconds = time.perf_counter() - start
        yield seconds, float(model.evaluate(xt, yt, batch_size=500, verbose=0)[1])


def train_torch(train, test, options):
    import torch
    from torch import nn

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(5408, 64), nn.ReLU(), nn.Linear(64, 10)
    )
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, eps=1e-7)
    x, y, xt, yt = (torch.from_numpy(array) for array in (train[0][:, None], train[1], test[0][:, None], test[1]))

    for _ in range(options.epochs):
        start = time.perf_counter()
        for rows in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
        seconds = time.perf_counter() - start
        with torch.no_grad():
            yield seconds, float((model(xt).argmax(1) == yt).float().mean())


parser = argparse.ArgumentParser()
parser.add_argument("library", choices=("keras", "torch"))
parser.add_argument("--data", type=Path, required=True)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--epochs", type=int, default=1)
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

train, test = load(options.data, "train"), load(options.data, "t10k")
epochs = list({"keras": train_keras, "torch": train_torch}[options.library](train, test, options))
print(json.dumps({
    "imagesPerSecond": [len(train[1]) / seconds for seconds, _ in epochs],
    "testAccuracy": [accuracy for _, accuracy in epochs],
    "peakRssMB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
