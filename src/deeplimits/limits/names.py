"""Names of limits, for checking files without importing a solver."""

LIMIT_NAMES = (
    "correlation_sde",
    "matched_sde",
    "linear",
    "correlation_ode",
    "unshaped",
    "unshaped_corrected",
    "unshaped_entrance",
    "ln24_theorem_4_1_printed",
    "variance",
    "smooth_variance",
    "markov_chain",
    "infinite_width",
    "correlation_sde_euler",
    "unshaped_euler",
    "hayou_linear",
    "hayou_relu_n1",
    "hayou_quasi_gbm",
    "h22_theorem_1_printed",
    "hayou_sde",
    "mckean_vlasov",
)
