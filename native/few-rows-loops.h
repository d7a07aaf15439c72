// Inner loops of products of a few rows with a large matrix, whose lines are read once for all rows; see vector-loops.h for where they may run.
#pragma once

#include <stdint.h>

namespace convscope {

// Lines of the matrix that are added to the sums at once.
constexpr int64_t kLinesTogether = 8;
// Lines of the matrix that are multiplied with the rows at once.
constexpr int64_t kLinesAtOnce = 4;

// sums[r * columns + c] += sum over line < count of factors[r * kLinesTogether + line] * lines[line][c], for count <= kLinesTogether.
void AddLinesToRows(const float* const* lines, const float* factors, int64_t count, int64_t rows, int64_t columns, float* sums);

// out[line][r * step] = sum over c of rows[r * columns + c] * lines[line][c], for count <= kLinesAtOnce lines.
void RowsTimesLines(const float* rows, int64_t row_count, const float* const* lines, int64_t count, int64_t columns,
                    float* const* out, int64_t step);

}  // namespace convscope
