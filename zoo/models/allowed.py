"""Allow-list of the components of an untrusted network: layers, activations, initialisers and others, by name.

Everything else in Keras's own namespace is refused too: among it are wrappers of other frameworks' modules, layers
that run text, and functions that change the program's state. A plugin's layers are allowed by their registered names.
"""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LAYERS: Final = _words("""
InputLayer Conv1D Conv2D Conv3D DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D Conv1DTranspose
Conv2DTranspose Conv3DTranspose Dense EinsumDense Embedding BatchNormalization LayerNormalization GroupNormalization
RMSNormalization UnitNormalization SpectralNormalization MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D
AveragePooling2D AveragePooling3D GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D Flatten Reshape Permute RepeatVector Cropping1D Cropping2D
Cropping3D ZeroPadding1D ZeroPadding2D ZeroPadding3D UpSampling1D UpSampling2D UpSampling3D Add Subtract Multiply
Average Maximum Minimum Concatenate Dot Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianDropout
GaussianNoise AlphaDropout ActivityRegularization Activation ReLU LeakyReLU PReLU ELU Softmax Rescaling Normalization
MultiHeadAttention GroupQueryAttention Attention AdditiveAttention Identity Masking
""")
_OPERATIONS: Final = _words("""
Add Subtract Multiply Divide TrueDivide Negative Abs Absolute Square Sqrt Exp Log Log1p Maximum Minimum Mean Sum Max Min
Reshape Transpose Concatenate Stack Squeeze ExpandDims GetItem Matmul Power Sigmoid Relu Softmax Tanh Softplus Clip
""")
_INITIALIZERS: Final = _words("""
Zeros Ones Constant RandomNormal RandomUniform TruncatedNormal VarianceScaling GlorotNormal GlorotUniform HeNormal
HeUniform LecunNormal LecunUniform Orthogonal OrthogonalInitializer Identity IdentityInitializer
""")
#: names of activation functions
ACTIVATIONS: Final = _words("""
linear relu relu6 leaky_relu elu selu celu gelu silu swish mish sigmoid hard_sigmoid log_sigmoid softmax log_softmax
softplus softsign tanh hard_tanh tanh_shrink soft_shrink hard_shrink exponential glu squareplus threshold sparse_plus
sparse_sigmoid sparsemax
""")
#: module -> classes that a configuration may name
CLASSES: Final[dict[str | None, frozenset[str]]] = {
    None: _words("__keras_tensor__ __tensor__ __numpy__ __tuple__ __ellipsis__ __slice__"),
    "builtins": _words("slice tuple ellipsis"),
    "keras": _words("DTypePolicy Functional Sequential"),
    "keras.dtype_policies": _words("DTypePolicy"),
    "keras.layers": _LAYERS,
    "keras.initializers": _INITIALIZERS,
    "keras.regularizers": _words("L1 L2 L1L2"),
    "keras.constraints": _words("MaxNorm NonNeg UnitNorm MinMaxNorm"),
    "keras.models": _words("Functional Sequential"),
    "keras.src.models.functional": _words("Functional"),
    "keras.src.models.sequential": _words("Sequential"),
    "keras.src.ops.numpy": _OPERATIONS,
    "keras.src.ops.nn": _OPERATIONS,
    "keras.ops": _OPERATIONS,
}
#: modules whose functions a configuration may name, and which
FUNCTIONS: Final[dict[str, frozenset[str]]] = {"keras.activations": ACTIVATIONS, "builtins": ACTIVATIONS}
