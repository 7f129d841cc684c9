// SPDX-License-Identifier: GPL-2.0-or-later
// Uses the precompiled header in its owner; without such a file CMake has no rule for it.
