// A program that runs one of its kernel instances: arguments from standard input, outputs to standard output.
#pragma once

#include "emulator.hpp"

namespace harness {

struct Call {
    unsigned blocks;
    int order;
    unsigned seed;
    std::vector<std::pair<void *, std::size_t>> arrays;
    std::unique_ptr<void, void (*)(void *)> kept{nullptr, std::free};

    static void read(void *into, std::size_t bytes) {
        if (bytes && std::fread(into, bytes, 1, stdin) != 1)
            emulator::fail("arguments end too early");
    }

    // Every number has eight bytes.
    template <class T> T number() {
        char bytes[8];
        T value;
        read(bytes, sizeof bytes);
        std::memcpy(&value, bytes, sizeof value);
        return value;
    }

    // Sizes, then elements; on the heap at their exact size.
    template <class Array> Array array() {
        Array made;
        std::size_t bytes = sizeof *made.data;
        read(made.shape, sizeof made.shape);
        for (auto size : made.shape)
            bytes *= std::size_t(size);
        void *data = std::malloc(std::max<std::size_t>(bytes, 1));
        read(data, bytes);
        arrays.push_back({data, bytes});
        made.data = static_cast<decltype(made.data)>(data);
        return made;
    }

    // [sample, number] of all samples of all blocks, full of NaN.
    template <class Instance, class Array> Array state() {
        Array made = {nullptr, {(long long)blocks * Instance::Members::SAMPLES, number<long long>()}};
        const std::size_t bytes = sizeof *made.data * made.shape[0] * made.shape[1];
        made.data = static_cast<decltype(made.data)>(std::malloc(bytes));
        std::memset(made.data, 0xFF, bytes);
        kept.reset(made.data);
        return made;
    }

    template <class Instance, class Body> void run(int outputs, Body body) {
        emulator::launch(blocks, Instance::Members::BLOCK, Instance::SHARED, order, seed, body);
        for (auto each = arrays.end() - outputs; each != arrays.end(); ++each)
            std::fwrite(each->first, 1, each->second, stdout);
        for (auto &each : arrays)
            std::free(each.first);
    }
};

using Runner = void (*)(Call &);

inline int main(int argc, char **argv, const std::vector<std::pair<const char *, Runner>> &instances) {
    if (argc == 5)
        for (auto &[name, runner] : instances)
            if (!std::strcmp(name, argv[1])) {
                Call call{unsigned(std::atoi(argv[2])), std::atoi(argv[3]), unsigned(std::atoi(argv[4])), {}, {nullptr, std::free}};
                runner(call);
                return 0;
            }
    emulator::fail("usage: INSTANCE BLOCKS ORDER SEED, for an instance that this program has");
}

}  // namespace harness
