/* Dropout's part: a block times a mask, as ../assembly/mask.ts. */
#ifndef OPERANT_MASK_H
#define OPERANT_MASK_H

#include "vector.h"

static void apply_mask(char *z, size_t ldz, const char *mask, size_t ldm, int rows, int columns) {
  for (int r = 0; r < rows; r++, z += ldz, mask += ldm) {
    float *row = (float *)z;
    const float *kept = floats(mask);
    for (int j = 0; j < columns; j += LANES) store_first(row + j, load(row + j) * load(kept + j), columns - j);
  }
}

#endif
