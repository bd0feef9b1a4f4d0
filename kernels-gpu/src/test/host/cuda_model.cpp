// A model of libcuda on the host: as many of its functions as our binding calls, by the rules that matter to it. Its
// kernels are those that g++ compiled from our sources, in the libraries that CYCLANE_HOST_KERNELS names. Work is
// done when a stream is synchronized; captured work when its graph is launched; arguments are copied at the call, as
// the real one does. Whatever is used against the rules is an error with the real one's number.
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace {

enum { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_CONTEXT = 201, INVALID_PTX = 218, NOT_FOUND = 500, LAUNCH_FAILED = 719 };

using Work = std::function<int()>;

struct Stream {
    std::deque<Work> queue;
    std::vector<Work>* captured = nullptr;
};

struct Module {
    std::string ptx;
};

struct Function {
    void (*call)(void**);
    int (*sizes)(int*);
    const char* (*launch)(void (*)(void**), unsigned, unsigned, unsigned, int, void**);
};

struct Event {
    float millis = -1;
    Stream* stream = nullptr;
    int records = 0;
    int passed = 0;
};

int context;  // its address stands for the only context
thread_local void* current = nullptr;
float clock_millis = 0;
unsigned clusters = 0;
int failed = SUCCESS;

std::vector<void*> libraries() {
    std::vector<void*> opened;
    const char* list = getenv("CYCLANE_HOST_KERNELS");
    std::string rest = list == nullptr ? "" : list;
    while (!rest.empty()) {
        size_t end = rest.find(':');
        opened.push_back(dlopen(rest.substr(0, end).c_str(), RTLD_NOW | RTLD_LOCAL));
        rest = end == std::string::npos ? "" : rest.substr(end + 1);
    }
    return opened;
}

int enqueue(Stream* stream, bool isLaunch, Work work) {
    if (current != &context) {
        return INVALID_CONTEXT;
    }
    if (stream->captured != nullptr) {
        if (!isLaunch) {
            return INVALID_VALUE;
        }
        stream->captured->push_back(work);
    } else {
        stream->queue.push_back(work);
    }
    return failed;
}

// Does a stream's work until so much is done. A stream that is waited for is worked off by who waits.
int run_until(Stream* stream, const std::function<bool()>& isReached) {
    while (!isReached() && failed == SUCCESS) {
        if (stream->queue.empty()) {
            return INVALID_VALUE;
        }
        Work work = stream->queue.front();
        stream->queue.pop_front();
        int result = work();
        failed = failed == SUCCESS ? result : failed;
    }
    return failed;
}

// The real device tells of a lost context at the next wait.
int told(int result) { return getenv("CYCLANE_MODEL_LOSES") != nullptr ? LAUNCH_FAILED : result; }

}  // namespace

extern "C" {

int cuInit(unsigned flags) { return flags == 0 ? SUCCESS : INVALID_VALUE; }

int cuDriverGetVersion(int* version) {
    const char* told = getenv("CYCLANE_MODEL_VERSION");
    *version = told == nullptr ? 13000 : atoi(told);
    return SUCCESS;
}

int cuDeviceGetCount(int* count) {
    const char* told = getenv("CYCLANE_MODEL_DEVICES");
    *count = told == nullptr ? 1 : atoi(told);
    return SUCCESS;
}

int cuDeviceGet(int* device, int ordinal) {
    *device = 7;
    return ordinal == 0 ? SUCCESS : 101;
}

int cuDeviceGetName(char* name, int length, int device) {
    strncpy(name, "a model of a device", length);
    return device == 7 ? SUCCESS : 101;
}

int cuDeviceTotalMem_v2(size_t* bytes, int device) {
    *bytes = size_t(3) << 30;
    return device == 7 ? SUCCESS : 101;
}

int cuDeviceGetAttribute(int* value, int attribute, int device) {
    *value = attribute == 75 ? 8 : attribute == 76 ? 6 : attribute == 16 ? 5 : -1;
    return device == 7 ? SUCCESS : 101;
}

int cuDevicePrimaryCtxRetain(void** retained, int device) {
    *retained = &context;
    return device == 7 ? SUCCESS : 101;
}

int cuDevicePrimaryCtxRelease_v2(int device) { return device == 7 ? SUCCESS : 101; }

int cuCtxSetCurrent(void* wanted) {
    current = wanted;
    return wanted == &context ? SUCCESS : INVALID_CONTEXT;
}

int cuMemGetInfo_v2(size_t* free, size_t* total) {
    *free = size_t(2) << 30;
    *total = size_t(3) << 30;
    return current == &context ? SUCCESS : INVALID_CONTEXT;
}

int cuMemAlloc_v2(uint64_t* address, size_t bytes) {
    // Another process took what was free a moment ago.
    if (getenv("CYCLANE_MODEL_SHARES") != nullptr && bytes > atoll(getenv("CYCLANE_MODEL_SHARES"))) {
        return OUT_OF_MEMORY;
    }
    void* memory = aligned_alloc(256, (bytes + 255) / 256 * 256);
    memset(memory, 0xff, bytes);
    *address = reinterpret_cast<uint64_t>(memory);
    return current == &context && bytes > 0 ? SUCCESS : INVALID_VALUE;
}

int cuMemFree_v2(uint64_t address) {
    free(reinterpret_cast<void*>(address));
    return SUCCESS;
}

int cuMemAllocHost_v2(void** address, size_t bytes) {
    *address = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    return current == &context && bytes > 0 ? SUCCESS : INVALID_VALUE;
}

int cuMemFreeHost(void* address) {
    free(address);
    return SUCCESS;
}

int cuStreamCreate(void** stream, unsigned flags) {
    *stream = new Stream();
    return flags <= 1 ? SUCCESS : INVALID_VALUE;
}

int cuStreamDestroy_v2(void* stream) {
    delete static_cast<Stream*>(stream);
    return SUCCESS;
}

int cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, void* stream) {
    return enqueue(static_cast<Stream*>(stream), false, [=] {
        memcpy(reinterpret_cast<void*>(to), from, bytes);
        return SUCCESS;
    });
}

int cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void* stream) {
    return enqueue(static_cast<Stream*>(stream), false, [=] {
        memcpy(to, reinterpret_cast<const void*>(from), bytes);
        return SUCCESS;
    });
}

int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void* stream) {
    return enqueue(static_cast<Stream*>(stream), false, [=] {
        memcpy(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes);
        return SUCCESS;
    });
}

int cuMemsetD32Async(uint64_t to, unsigned word, size_t words, void* stream) {
    return enqueue(static_cast<Stream*>(stream), false, [=] {
        for (size_t i = 0; i < words; i++) {
            reinterpret_cast<unsigned*>(to)[i] = word;
        }
        return SUCCESS;
    });
}

int cuModuleLoadData(void** module, const void* image) {
    const char* ptx = static_cast<const char*>(image);
    *module = new Module{ptx};
    return strstr(ptx, ".version 9.0") != nullptr ? SUCCESS : INVALID_PTX;
}

int cuModuleGetFunction(void** function, void* module, const char* name) {
    if (static_cast<Module*>(module)->ptx.find(std::string(".entry ") + name + "(") == std::string::npos) {
        return NOT_FOUND;
    }
    static std::vector<void*> opened = libraries();
    for (void* library : opened) {
        void* call = library == nullptr ? nullptr : dlsym(library, (std::string("cyclane_call_") + name).c_str());
        if (call != nullptr) {
            Function* found = new Function();
            found->call = reinterpret_cast<void (*)(void**)>(call);
            found->sizes =
                reinterpret_cast<int (*)(int*)>(dlsym(library, (std::string("cyclane_sizes_") + name).c_str()));
            found->launch = reinterpret_cast<decltype(found->launch)>(dlsym(library, "cyclane_launch"));
            *function = found;
            return SUCCESS;
        }
    }
    return NOT_FOUND;
}

int cuModuleUnload(void* module) {
    delete static_cast<Module*>(module);
    return SUCCESS;
}

// As cuda.h lays them out.
struct LaunchAttribute {
    int id;
    char pad[4];
    unsigned value[16];
};

struct LaunchConfig {
    unsigned x, y, z, threads, threadsY, threadsZ, sharedBytes;
    void* stream;
    LaunchAttribute* attributes;
    unsigned count;
};

static_assert(sizeof(LaunchAttribute) == 72 && sizeof(LaunchConfig) == 56, "as the real ones");

int cuLaunchKernelEx(const LaunchConfig* config, void* function, void** arguments, void** extra) {
    if (config->threadsY != 1 || config->threadsZ != 1 || config->sharedBytes != 0 || extra != nullptr ||
        arguments == nullptr || config->z != 1) {
        return INVALID_VALUE;
    }
    unsigned x = config->x, y = config->y, z = config->z, threads = config->threads;
    void* stream = config->stream;
    if (config->count > 1) {
        return INVALID_VALUE;
    }
    if (config->count == 1) {
        // A cluster's blocks run like any others: a kernel that has none can be launched with them.
        const LaunchAttribute& cluster = config->attributes[0];
        if (cluster.id != 4 || cluster.value[0] < 2 || x % cluster.value[0] != 0 || cluster.value[1] != 1 ||
            cluster.value[2] != 1) {
            return INVALID_VALUE;
        }
        clusters++;
    }
    Function* kernel = static_cast<Function*>(function);
    int sizes[64];
    int count = kernel->sizes(sizes);
    auto copies = std::make_shared<std::vector<std::vector<char>>>();
    for (int i = 0; i < count; i++) {
        const char* value = static_cast<const char*>(arguments[i]);
        copies->emplace_back(value, value + sizes[i]);
    }
    return enqueue(static_cast<Stream*>(stream), true, [=] {
        std::vector<void*> values;
        for (std::vector<char>& copy : *copies) {
            values.push_back(copy.data());
        }
        const char* failure = kernel->launch(kernel->call, x, y, z, static_cast<int>(threads), values.data());
        return failure == nullptr ? SUCCESS : LAUNCH_FAILED;
    });
}

// What it was asked for, in the order it came.
int cuTensorMapEncodeTiled(uint64_t* descriptor, int type, unsigned rank, void* address, const uint64_t* extents,
                           const uint64_t* strides, const unsigned* box, const unsigned* steps, int interleave,
                           int swizzle, int promotion, int outside) {
    if (reinterpret_cast<uint64_t>(descriptor) % 64 != 0 || rank < 1 || rank > 5 || interleave != 0 || outside != 0) {
        return INVALID_VALUE;
    }
    memset(descriptor, 0, 128);
    descriptor[0] = reinterpret_cast<uint64_t>(address);
    descriptor[1] = static_cast<uint64_t>(type) << 32 | rank << 16 | swizzle << 8 | promotion;
    for (unsigned axis = 0; axis < rank; axis++) {
        descriptor[2 + axis] = extents[axis];
        descriptor[7 + axis] = static_cast<uint64_t>(box[axis]) << 32 | steps[axis];
        if (axis > 0) {
            descriptor[11 + axis] = strides[axis - 1];
        }
    }
    descriptor[1] |= static_cast<uint64_t>(clusters) << 48;
    return SUCCESS;
}

int cuStreamBeginCapture_v2(void* stream, int mode) {
    static_cast<Stream*>(stream)->captured = new std::vector<Work>();
    return mode == 1 ? SUCCESS : INVALID_VALUE;
}

int cuStreamEndCapture(void* stream, void** graph) {
    *graph = static_cast<Stream*>(stream)->captured;
    static_cast<Stream*>(stream)->captured = nullptr;
    return *graph != nullptr ? SUCCESS : INVALID_VALUE;
}

int cuGraphInstantiateWithFlags(void** executable, void* graph, unsigned long long flags) {
    *executable = new std::vector<Work>(*static_cast<std::vector<Work>*>(graph));
    return flags == 0 ? SUCCESS : INVALID_VALUE;
}

int cuGraphDestroy(void* graph) {
    delete static_cast<std::vector<Work>*>(graph);
    return SUCCESS;
}

int cuGraphExecDestroy(void* executable) {
    delete static_cast<std::vector<Work>*>(executable);
    return SUCCESS;
}

int cuGraphLaunch(void* executable, void* stream) {
    std::vector<Work>* work = static_cast<std::vector<Work>*>(executable);
    return enqueue(static_cast<Stream*>(stream), false, [=] {
        for (Work& each : *work) {
            int result = each();
            if (result != SUCCESS) {
                return result;
            }
        }
        return static_cast<int>(SUCCESS);
    });
}

int cuStreamSynchronize(void* stream) {
    Stream* own = static_cast<Stream*>(stream);
    return run_until(own, [=] { return own->queue.empty(); });
}

int cuStreamWaitEvent(void* stream, void* event, unsigned flags) {
    Event* mark = static_cast<Event*>(event);
    int record = mark->records;
    if (flags != 0 || mark->stream == nullptr) {
        return INVALID_VALUE;
    }
    return enqueue(static_cast<Stream*>(stream), false,
                   [=] { return run_until(mark->stream, [=] { return mark->passed >= record; }); });
}

int cuEventCreate(void** event, unsigned flags) {
    *event = new Event();
    return flags == 0 ? SUCCESS : INVALID_VALUE;
}

int cuEventDestroy_v2(void* event) {
    delete static_cast<Event*>(event);
    return SUCCESS;
}

int cuEventRecord(void* event, void* stream) {
    Event* mark = static_cast<Event*>(event);
    mark->stream = static_cast<Stream*>(stream);
    int record = ++mark->records;
    return enqueue(mark->stream, false, [=] {
        mark->millis = clock_millis += 1.5f;
        mark->passed = record;
        return SUCCESS;
    });
}

int cuEventSynchronize(void* event) {
    Event* mark = static_cast<Event*>(event);
    int record = mark->records;
    if (mark->stream == nullptr) {
        return INVALID_VALUE;
    }
    return told(run_until(mark->stream, [=] { return mark->passed >= record; }));
}

int cuEventElapsedTime(float* millis, void* from, void* to) {
    *millis = static_cast<Event*>(to)->millis - static_cast<Event*>(from)->millis;
    return static_cast<Event*>(from)->millis < 0 ? INVALID_VALUE : SUCCESS;
}

int cuGetErrorName(int error, const char** name) {
    *name = error == LAUNCH_FAILED ? "CUDA_ERROR_LAUNCH_FAILED" : "CUDA_ERROR_OF_MODEL";
    return SUCCESS;
}

int cuGetErrorString(int error, const char** text) {
    *text = error == SUCCESS ? "no error" : "said by the model";
    return SUCCESS;
}

}  // extern "C"
