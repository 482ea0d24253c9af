"""TFRecords: `tf.train.Example`, record files, shards and the pool that writes them. No TensorFlow needed."""
