// SPDX-License-Identifier: GPL-2.0-or-later
/* What every contract between user space and a BPF program shares. */
#pragma once

#include <linux/types.h>

/* Give the size as the sum of the fields, so that padding cannot hide. */
#ifdef __cplusplus
#define ABI_SIZE(name, size) static_assert(sizeof(struct name) == (size))
#else
#define ABI_SIZE(name, size)                                                   \
	_Static_assert(sizeof(struct name) == (size), #name)
#endif
